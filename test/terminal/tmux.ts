import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** Below the timeouts of the tests, so that one that waits in vain says for what. */
const UNTIL_MS = 40_000;

export interface TmuxOptions {
  /** A folder of its own: the socket and a home are in it. */
  readonly cwd: string;
  /** What runs in the terminal, for a shell. */
  readonly command: string;
  /** Default 80. */
  readonly columns?: number;
  /** Default 30. */
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real terminal: a process in tmux, on a server of its own. */
export class Tmux {
  readonly #socket: string;

  constructor({ cwd, command, columns = 80, rows = 30, env }: TmuxOptions) {
    this.#socket = join(cwd, 'tmux.sock');
    const home = join(cwd, 'home');
    mkdirSync(home, { recursive: true });
    const own = { PATH: process.env.PATH ?? '', HOME: home, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env };
    const size = ['-x', String(columns), '-y', String(rows)];
    const args = ['-f', '/dev/null', 'new-session', '-d', ...size, '-c', cwd, command];
    execFileSync('tmux', ['-u', '-S', this.#socket, ...args], { env: own });
  }

  /** Ends the terminal and what runs in it. */
  end(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server']);
  }

  send(...keys: readonly string[]): void {
    this.#run('send-keys', ...keys);
  }

  /** As somebody who types: no word is taken for the name of a key. */
  type(text: string): void {
    this.#run('send-keys', '-l', text);
  }

  /** As the terminal pastes; `isBracketed`: in the marks that a program can ask for. */
  paste(text: string, isBracketed = true): void {
    execFileSync('tmux', ['-S', this.#socket, 'load-buffer', '-'], { input: text });
    this.#run('paste-buffer', ...(isBracketed ? ['-p'] : []));
  }

  resize(columns: number, rows: number): void {
    this.#run('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Resolves once the program has been told of the latest size: tmux does that up to 250 ms late. */
  async told(): Promise<void> {
    const [tty, size] = [this.tell('#{pane_tty}'), this.tell('#{pane_height} #{pane_width}')];
    await this.until(new RegExp(`^${size}$`, 'm'), () =>
      execFileSync('sh', ['-c', `stty size < '${tty}'`], { encoding: 'utf8' }),
    );
  }

  /**
   * Resolves once the chat has drawn for the latest size: what is typed after it was told is shown with that. The first letter may
   * have come with what it was told, the one that takes it away again did not. `before`: what stands before them in their row.
   */
  async settled(letter = 'x', before = '› '): Promise<void> {
    await this.told();
    this.type(letter);
    await this.until(`${before}${letter}`);
    this.send('BSpace');
    await this.until(new RegExp(`${before.trimEnd()} *$`, 'm'));
  }

  /** Writes all that the program writes from now on to a file, too. */
  pipe(file: string): void {
    this.#run('pipe-pane', `exec cat > '${file}'`);
  }

  /** A line of what tmux knows of the terminal, e.g. `#{cursor_x}`. */
  tell(format: string): string {
    return this.#run('display-message', '-p', format).trimEnd();
  }

  screen(): string {
    return this.#run('capture-pane', '-p');
  }

  /** With looks, as a terminal would be sent it. */
  colours(): string {
    return this.#run('capture-pane', '-p', '-e');
  }

  all(): string {
    return this.#run('capture-pane', '-p', '-S', '-');
  }

  /** tmux cannot call back: the screen is looked at again and again. Fails with what it shows when the text does not come. */
  async until(text: string | RegExp, where: () => string = () => this.screen()): Promise<void> {
    const isThere = (): boolean => (typeof text === 'string' ? where().includes(text) : text.test(where()));
    const latest = performance.now() + UNTIL_MS;
    let lookedAt = performance.now();
    while (!isThere()) {
      if (performance.now() > latest) throw new Error(`${String(text)} did not come; there is\n${where()}`);
      // A look stops the test's own server for as long as it takes.
      await sleep(Math.max(50, performance.now() - lookedAt));
      lookedAt = performance.now();
    }
  }

  #run(...args: readonly string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  }
}

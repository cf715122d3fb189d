/** Where somebody works all day: a project with what projects have, a home with an MCP server, and a terminal. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tmux } from '../../test/terminal/tmux.ts';
import { chatCommand } from '../terminal/chat-in-tmux.ts';

const mcpServer = join(import.meta.dirname, '..', '..', 'test', 'agent', 'mcp-server.ts');
/** The chat takes no key for an answer that comes within 0.4 s of its question. */
const GUARD_MS = 450;

/** The beginning of a PNG. */
export const image = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

export class Desk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'turnwire-day-'));
  readonly tmux: Tmux;

  /** A chat with the model server; once it is left, another one goes on with its conversation. */
  constructor(baseUrl: string, { hasMcp = true }: { readonly hasMcp?: boolean } = {}) {
    writeFileSync(join(this.folder, 'AGENTS.md'), 'Count the words of each answer.\n');
    writeFileSync(join(this.folder, 'shot.png'), image);
    if (hasMcp) this.#configure();
    const chats = [chatCommand(baseUrl), chatCommand(baseUrl, '--resume last')];
    const command = `${chats.map((chat) => `${chat}; echo exit $?`).join('; ')}; exec cat`;
    this.tmux = new Tmux({ cwd: this.folder, command, columns: 90, rows: 30 });
  }

  #configure(): void {
    const home = join(this.folder, 'home', '.config', 'turnwire');
    mkdirSync(home, { recursive: true });
    const [command, args] = [process.execPath, [mcpServer]].map((value) => JSON.stringify(value));
    writeFileSync(join(home, 'config.toml'), `[mcp_servers.sums]\ncommand = ${command}\nargs = ${args}\n`);
  }

  [Symbol.dispose](): void {
    this.tmux.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  say(text: string): void {
    this.tmux.type(text);
    this.tmux.send('Enter');
  }

  /** Answers the question that begins with `asked`, by keys. */
  async answer(asked: string, ...keys: readonly string[]): Promise<void> {
    await this.tmux.until(asked);
    await this.tmux.until('deny and say why');
    await sleep(GUARD_MS);
    this.tmux.send(...keys);
  }

  /** Another size, and the screen as it is then. */
  async resize(columns: number, rows: number): Promise<void> {
    this.tmux.resize(columns, rows);
    await this.tmux.settled();
  }

  /** The files of the conversations, the oldest first. */
  threads(): string[] {
    const folder = join(this.folder, 'home', '.local', 'state', 'turnwire', 'threads');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
    return names.sort().map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  /** What came onto the terminal since the last chat was opened. */
  sinceExit(): string {
    return this.tmux.all().split('exit 0').at(-1) ?? '';
  }
}

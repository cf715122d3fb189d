import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { startRedis, whyNoRedis, type RedisServer } from '../bridge/redis-server.ts';
import { childEnv } from '../run-folder.ts';
import type { FromProbe, Sample } from './probe.ts';
import { modelOf } from './script.ts';

const MAIN = new URL('../../turnwire/src/cli/main.ts', import.meta.url);
const UPSTREAM = new URL('upstream.ts', import.meta.url);
const PROBE = new URL('probe.ts', import.meta.url);
const SOURCE = '--conditions=@turnwire/source';

/** The model servers of one machine: they die together. */
export class Machine {
  readonly name: string;
  readonly #paceMs: number;
  #child: ChildProcess | undefined;
  #ports: Readonly<Record<string, number>> = {};

  constructor(name: string, paceMs: number) {
    this.name = name;
    this.#paceMs = paceMs;
  }

  get ports(): Readonly<Record<string, number>> {
    return this.#ports;
  }

  /** On the ports that it had before. */
  async start(): Promise<void> {
    const places = protocolIds.map((wire) => `${wire}=${this.#ports[wire] ?? 0}`);
    const child = fork(UPSTREAM, [String(this.#paceMs), ...places], { execArgv: [SOURCE], env: childEnv });
    this.#child = child;
    const exit = once(child, 'exit').then(() => Promise.reject(new Error(`the servers of ${this.name} did not start`)));
    exit.catch(() => undefined); // later it may die
    const [ports] = (await Promise.race([once(child, 'message'), exit])) as [Record<string, number>];
    this.#ports = ports;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

/** What the bridge logs as an error (pino's level 50) when its store hangs; whatever else it does is a bug. */
const OF_STORE = /"the store"|could not be kept/;

/** `turnwire bridge` in a process of its own, in front of all machines, with its traces in a folder. */
export class BridgeProcess {
  readonly #child: ChildProcess;
  readonly folder: string;
  readonly url: string;
  /** The last lines of its log. */
  readonly log: string[];
  #closing = false;

  private constructor(child: ChildProcess, folder: string, url: string, log: string[]) {
    this.#child = child;
    this.folder = folder;
    this.url = url;
    this.log = log;
  }

  /**
   * @param onProblem hears of what must not happen in it
   * @param onStore hears that the store did not answer in time, as it may where the machine is busy
   */
  static async start(
    machines: readonly Machine[],
    store: string,
    flags: readonly string[],
    onProblem: (problem: string) => void,
    onStore: () => void,
  ): Promise<BridgeProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire-soak-'));
    const providers = writeProviders(folder, machines);
    const info = join(folder, 'info.json');
    const args = [
      'bridge',
      '--port',
      '0',
      '--server-info',
      info,
      '--store',
      store,
      '--trace-dir',
      join(folder, 'traces'),
    ];
    const named = providers.flatMap((name) => ['--provider', name]);
    const child = fork(MAIN, [...args, ...named, ...flags], {
      execArgv: [SOURCE, '--expose-gc', '--import', PROBE.href],
      env: { ...childEnv, XDG_CONFIG_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const log: string[] = [];
    for (const stream of [child.stderr, child.stdout]) {
      if (stream === null) continue;
      createInterface(stream).on('line', (line) => {
        if (log.push(line) > 200) log.shift();
        if (!line.startsWith('{"level":50')) return;
        if (OF_STORE.test(line)) onStore();
        else onProblem(`the bridge says ${line}`);
      });
    }
    child.on('message', (message) => {
      if ('problem' in (message as FromProbe)) onProblem((message as { problem: string }).problem);
    });
    const exit = once(child, 'exit');
    const ready = new Promise<void>((resolve) => {
      child.stdout?.on('data', (data) => String(data).includes('OPENAI_BASE_URL') && resolve());
    });
    await Promise.race([
      ready,
      exit.then(() => Promise.reject(new Error(`the bridge did not start: ${log.join('\n')}`))),
    ]);
    const { url } = JSON.parse(readFileSync(info, 'utf8')) as { url: string };
    const bridge = new BridgeProcess(child, folder, url, log);
    void exit.then(() => {
      if (!bridge.#closing) onProblem(`the bridge ended: ${log.slice(-20).join('\n')}`);
    });
    return bridge;
  }

  get traces(): string {
    return join(this.folder, 'traces');
  }

  async sample(): Promise<Sample> {
    this.#child.send('sample');
    for (;;) {
      const [message] = (await once(this.#child, 'message')) as [FromProbe];
      if ('sample' in message) return message.sample;
    }
  }

  /** Ends it as a person does; its exit code, which is 0 after a good end. */
  async close(): Promise<number | null> {
    this.#closing = true;
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.kill('SIGTERM');
    const [code] = await exit;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/** A provider for each server of each machine, in the configuration of the bridge. */
function writeProviders(folder: string, machines: readonly Machine[]): readonly string[] {
  const rows = machines.flatMap(({ name, ports }) =>
    protocolIds.map((wire) => ({ name: `${name}-${wire}`, wire, url: `http://127.0.0.1:${ports[wire] ?? 0}/v1` })),
  );
  const tables = rows.map(
    ({ name, wire, url }) =>
      `[model_providers.${name}]\nbase_url = "${url}"\nwire_api = "${wire}"\nmodels = ["${modelOf(wire)}"]\n`,
  );
  mkdirSync(join(folder, 'turnwire'), { recursive: true });
  writeFileSync(join(folder, 'turnwire', 'config.toml'), tables.join('\n'));
  return rows.map(({ name }) => name);
}

/** A Redis that can be stopped where it stands; without one, a file that never hangs. */
export async function openStore(): Promise<{ readonly url: string; readonly redis: RedisServer | undefined }> {
  const why = whyNoRedis();
  if (why === undefined) {
    const redis = await startRedis();
    return { url: redis.url, redis };
  }
  console.log(`the store does not hang: ${why}`);
  return { url: 'memory', redis: undefined };
}

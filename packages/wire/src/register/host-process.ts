/** What this needs of the process, as Node, Bun and Deno have it. */
export interface HostProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  listenerCount(event: string): number;
  kill(pid: number, signal: string): unknown;
  /** Modules of Node's, without an import that a browser's bundler would follow. */
  getBuiltinModule?(name: 'node:fs'): Files;
  getBuiltinModule?(name: 'node:module'): Loader;
}

/** The part of `node:fs` that writes before a process ends. */
export interface Files {
  writeSync(descriptor: number, text: string): unknown;
  writeFileSync(path: string, text: string): void;
}

/** The part of `node:module` that sees what is loaded: Node's from 22.15 on. */
export interface Loader {
  registerHooks?(hooks: {
    load(url: string, context: object, next: (url: string, context: object) => Loaded): Loaded;
  }): void;
}

/** A module's source. */
export interface Loaded {
  readonly source?: string | Uint8Array | null | undefined;
}

/** These end a process without its `exit` event, unless somebody listens. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Calls back once, before the process ends: by itself, by `process.exit`, by an error that nobody caught, by a signal. A signal that the app
 * listens to is the app's; any other ends the process as it would have without this.
 */
export function beforeExit(host: HostProcess, callback: () => void): void {
  let isDone = false;
  const once = (): void => {
    if (isDone) return;
    isDone = true;
    callback();
  };
  host.on('exit', once);
  for (const signal of SIGNALS) {
    const listener = (): void => {
      if (host.listenerCount(signal) > 1) return;
      once();
      host.off(signal, listener);
      host.kill(host.pid, signal);
    };
    host.on(signal, listener);
  }
}

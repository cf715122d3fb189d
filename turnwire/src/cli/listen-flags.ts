import type { Command } from 'commander';
import { flag, listFlag, numberFlag } from './flags.ts';

/** Where a server for tests listens, as its flags say it. */
export interface ListenFlags {
  readonly port: number;
  readonly host?: string;
  readonly insecure?: boolean;
  readonly allowHost?: readonly string[];
  readonly serverInfo?: string;
}

/** The flags of a mock, a recorder and a replay. */
export function addListenFlags(command: Command): Command {
  return command
    .addOption(numberFlag('--port <n>', 'port to listen on; 0 takes a free one', 0, 0))
    .addOption(flag('--host <address>', 'address to listen on, e.g. 0.0.0.0 in a container', '127.0.0.1'))
    .addOption(flag('--insecure', 'listen beyond loopback without a token', 'refused'))
    .addOption(listFlag('--allow-host <name>', 'a Host header to accept beside the loopback names'))
    .addOption(flag('--server-info <file>', 'where it listens and its pid, as JSON in this file while it runs', 'off'));
}

/** The same for the server. */
export function listenOptionsOf({ port, host, insecure, allowHost }: ListenFlags) {
  return { port, host, insecure, allowedHosts: allowHost };
}

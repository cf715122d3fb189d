import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Port } from '@turnwire/bridge/internal/workers/channel';
import type { Message } from '@turnwire/bridge/internal/workers/message';

/** A process that another one talks to, as either sees it. */
interface Process {
  readonly connected: boolean;
  send?: ChildProcess['send'] | undefined;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

/** The way to a process, over the channel that Node gives a process and its child. */
export function portTo(process: Process): Port {
  return {
    send: (message, socket, onFailure = () => undefined) => {
      const done = (error: Error | null): void => (error === null ? undefined : onFailure(error));
      if (process.connected && process.send !== undefined) process.send(message, socket, { keepOpen: true }, done);
      else onFailure(new Error('the process is gone'));
    },
    onMessage: (listener) => {
      process.on('message', (message, handle) => {
        // Nobody else has the other end.
        listener(message as Message, handle as Socket | undefined);
      });
    },
    onGone: (listener) => void process.once('disconnect', listener),
  };
}

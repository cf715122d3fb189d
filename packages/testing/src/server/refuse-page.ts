import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createPageGuard, type LocalNames } from '@turnwire/client/internal/platform/local-only';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import { protocolOf } from './paths.ts';

/** What stands before a server that keeps other people's prompts and asks for no token. Each is true for a refused request. */
export interface PageGuard {
  refuses(req: IncomingMessage, res: ServerResponse): boolean;
  refusesUpgrade(req: IncomingMessage, socket: Duplex): boolean;
}

/** Refuses web pages with 403: a page that somebody visits can reach every port of this machine. */
export function pageGuard(names: LocalNames): PageGuard {
  const reasonFor = createPageGuard(names);
  return {
    refuses: (req, res) => {
      const message = reasonFor(req.headers);
      if (message === undefined) return false;
      res.writeHead(403, { 'content-type': 'application/json', connection: 'close' }).end(bodyOf(req, message));
      return true;
    },
    refusesUpgrade: (req, socket) => {
      const message = reasonFor(req.headers);
      if (message === undefined) return false;
      socket.on('error', () => undefined); // it may be gone already
      socket.end(rawResponse(403, [['content-type', 'application/json']], bodyOf(req, message)));
      return true;
    },
  };
}

function bodyOf(req: IncomingMessage, message: string): string {
  return JSON.stringify(
    protocolOf(req).errorBody({ message, type: 'permission_error', code: 'forbidden', status: 403 }),
  );
}

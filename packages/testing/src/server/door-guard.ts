import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createPageGuard, type LocalNames } from '@turnwire/client/internal/platform/local-only';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import { tokenFinder } from '@turnwire/client/internal/platform/token-finder';
import type { ErrorFields } from '@turnwire/wire/internal/encode-error';
import { protocolOf } from './paths.ts';

/** What stands before a server that keeps other people's prompts. Each is true for a refused request. */
export interface DoorGuard {
  refuses(req: IncomingMessage, res: ServerResponse): boolean;
  refusesUpgrade(req: IncomingMessage, socket: Duplex): boolean;
}

/**
 * Refuses web pages with 403: a page that somebody visits can reach every port of this machine. With a token, whoever does
 * not send it gets 401, as `Authorization: Bearer` or `x-api-key`; `/health` is open.
 */
export function doorGuard(names: LocalNames, token: string | undefined): DoorGuard {
  const pageReason = createPageGuard(names);
  const find = token === undefined ? undefined : tokenFinder([token]);
  const reasonFor = (req: IncomingMessage): ErrorFields | undefined => {
    const message = pageReason(req.headers);
    if (message !== undefined) return { message, type: 'permission_error', code: 'forbidden', status: 403 };
    if (find === undefined || req.url === '/health' || find(req.headers) !== undefined) return undefined;
    return { message: 'this server wants its token as the API key', type: 'authentication_error', status: 401 };
  };
  return {
    refuses: (req, res) => {
      const reason = reasonFor(req);
      if (reason === undefined) return false;
      res
        .writeHead(reason.status ?? 403, { 'content-type': 'application/json', connection: 'close' })
        .end(bodyOf(req, reason));
      return true;
    },
    refusesUpgrade: (req, socket) => {
      const reason = reasonFor(req);
      if (reason === undefined) return false;
      socket.on('error', () => undefined); // it may be gone already
      socket.end(rawResponse(reason.status ?? 403, [['content-type', 'application/json']], bodyOf(req, reason)));
      return true;
    },
  };
}

function bodyOf(req: IncomingMessage, reason: ErrorFields): string {
  return JSON.stringify(protocolOf(req).errorBody(reason));
}

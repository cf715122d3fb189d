import type { IncomingMessage } from 'node:http';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { Protocol } from '@turnwire/wire/internal/protocol';
import { clientWireOf, protocolIds, protocols } from '@turnwire/wire/internal/protocols';

/** The endpoints of every wire, with and without `/v1`. */
export const modelPaths = pathsOf(({ path }) => path);

/** Those that count the tokens of a request. */
export const countPaths = pathsOf(({ countPath }) => countPath);

/** The protocol of a client, by which errors are told: that of the path that it asks, else the one whose headers it sends. */
export function protocolOf({ url = '/', headers }: IncomingMessage): Protocol {
  const [path = ''] = url.split('?');
  return protocols[clientWireOf(modelPaths.get(path) ?? countPaths.get(path), headers)];
}

function pathsOf(pathIn: (protocol: Protocol) => string | undefined): ReadonlyMap<string, ProtocolId> {
  return new Map(
    protocolIds.flatMap((id) => {
      const path = pathIn(protocols[id]);
      return path === undefined ? [] : [`/v1/${path}`, `/${path}`].map((one) => [one, id] as const);
    }),
  );
}

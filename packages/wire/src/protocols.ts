import { chatProtocol } from './chat/protocol.ts';
import type { ProtocolId } from './decoder.ts';
import type { Protocol } from './protocol.ts';
import { messagesProtocol } from './messages/protocol.ts';
import { responsesProtocol } from './responses/protocol.ts';

/** Every wire that turnwire speaks. */
export const protocols: Readonly<Record<ProtocolId, Protocol>> = {
  chat: chatProtocol,
  responses: responsesProtocol,
  messages: messagesProtocol,
};

/** The ids, in the order in which they are listed for people. */
export const protocolIds = Object.keys(protocols) as readonly ProtocolId[];

/** Whether `value` is the id of a wire. */
export function isProtocolId(value: unknown): value is ProtocolId {
  return typeof value === 'string' && Object.hasOwn(protocols, value);
}

/** The wire of an address that ends in its endpoint; undefined for others. */
export function protocolOfPath(url: string): ProtocolId | undefined {
  const path = (url.split('?', 1)[0] ?? '').replace(/\/+$/, '');
  return protocolIds.find((id) => path.endsWith(`/${protocols[id].path}`));
}

/** The wire that a client speaks: that of its route, or else the one whose own headers it sends (their names in lower case). */
export function clientWireOf(route: ProtocolId | undefined, headers: Readonly<Record<string, unknown>>): ProtocolId {
  const told = Object.values(protocols).find((protocol) => {
    const names = Object.keys(protocol.headers);
    return names.length > 0 && names.every((name) => headers[name] !== undefined);
  });
  return route ?? told?.id ?? 'responses';
}

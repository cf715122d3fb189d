import { protocols, type ProtocolId } from '@turnwire/wire';

/** A kind of server that is examined. */
export type ProbeWire = 'server' | ProtocolId | 'websocket';

/** What each is called in reports. */
export const wireTitles: Readonly<Record<ProbeWire, string>> = {
  server: 'The server',
  chat: protocols.chat.title,
  responses: protocols.responses.title,
  messages: protocols.messages.title,
  websocket: `${protocols.responses.title} over WebSocket`,
};

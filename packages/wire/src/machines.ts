import { ChatMachine } from './chat/machine.ts';
import type { ProtocolId } from './decoder.ts';
import { MessagesMachine } from './messages/machine.ts';
import type { AnswerProtocol } from './protocol.ts';
import { ResponsesMachine } from './responses/machine.ts';

/** What reads the answers of each wire: whoever only reads need not load what writes them. */
export const machines: Readonly<Record<ProtocolId, AnswerProtocol['createMachine']>> = {
  chat: (options) => new ChatMachine(options),
  responses: (options) => new ResponsesMachine(options),
  messages: (options) => new MessagesMachine(options),
};

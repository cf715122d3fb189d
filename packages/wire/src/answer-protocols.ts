import { chatAnswers } from './chat/answers.ts';
import type { ProtocolId } from './decoder.ts';
import { messagesAnswers } from './messages/answers.ts';
import type { AnswerProtocol } from './protocol.ts';
import { responsesAnswers } from './responses/answers.ts';

/** Every wire, as far as its answers go. */
export const answerProtocols: Readonly<Record<ProtocolId, AnswerProtocol>> = {
  chat: chatAnswers,
  responses: responsesAnswers,
  messages: messagesAnswers,
};

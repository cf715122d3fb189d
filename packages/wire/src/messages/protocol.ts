import { isObject, nonEmpty, parseJson, stringOf } from '../base/json.ts';
import type { Protocol } from '../protocol.ts';
import { messagesAnswers } from './answers.ts';
import { withoutUndefined } from '../request-body.ts';
import { fromMessagesRequest } from './request-parse.ts';
import { toMessagesRequest } from './request.ts';

/** Anthropic's Messages API. */
export const messagesProtocol: Protocol = {
  ...messagesAnswers,
  countPath: 'messages/count_tokens',
  overWebSocket: false,
  pausesAnswers: true,
  toRequest: toMessagesRequest,
  fromRequest: fromMessagesRequest,
  headers: { 'anthropic-version': '2023-06-01' },
  authHeaders: (key) => ({ 'x-api-key': key }),
  toPortable: (rest) => ({
    promptCacheKey: sessionOf(rest.metadata),
    stop: rest.stop_sequences,
  }),
  fromPortable: ({ stop }) => withoutUndefined({ stop_sequences: stopSequencesOf(stop) }),
};

/** Claude Code tells its session in a JSON text in `metadata.user_id`: requests of one session share what a server has read. */
function sessionOf(metadata: unknown): string | undefined {
  const user = isObject(metadata) ? parseJson(stringOf(metadata.user_id) ?? '') : undefined;
  return isObject(user) ? nonEmpty(user.session_id) : undefined;
}

/** Texts that end the answer; the API refuses those of white space alone. */
function stopSequencesOf(stop: unknown): readonly string[] | undefined {
  const list = Array.isArray(stop) ? (stop as unknown[]) : [stop];
  const texts = list.filter((text): text is string => typeof text === 'string' && text.trim() !== '');
  return texts.length === 0 ? undefined : texts;
}

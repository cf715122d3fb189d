import type { JsonObject } from './base/json.ts';
import { chatProtocol } from './chat/protocol.ts';
import { responsesProtocol } from './responses/protocol.ts';

/** Those of a Responses request's remaining fields that a chat server understands, as `extra` of the request to it. */
export function chatExtraOf(rest: JsonObject): JsonObject {
  return chatProtocol.fromPortable(responsesProtocol.toPortable(rest));
}

/** Those of a chat request's remaining fields that the Responses API understands, as `extra` of the request to it. */
export function responsesExtraOf(rest: JsonObject): JsonObject {
  return responsesProtocol.fromPortable(chatProtocol.toPortable(rest));
}

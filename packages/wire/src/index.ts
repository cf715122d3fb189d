/** `turnwire/wire`: the protocols as pure state machines, bytes and values in, values out. */
export { createDecoder } from './stream-decoder.ts';
export { readEvents, type ReadEventsOptions, type ReadTimeoutOptions } from './read/read-events.ts';
export { KnownShapes } from './sse/known-shapes.ts';
export type { ByteBody } from './read/body-chunks.ts';
export type { PollResult } from './read/answer-reader.ts';
export type { ModelStream } from './read/model-stream.ts';
export { systemClock } from './runtime/system-clock.ts';
export type { Clock, Timer, TimerOptions } from './base/clock.ts';
export { ModelError } from './model/errors.ts';
export { isProtocolId, protocolIds, protocols } from './protocols.ts';
export type { AnswerEncoder, EncoderOptions, Protocol, RequestOptions } from './protocol.ts';
export type { PortableFields } from './portable.ts';
export { createResponsesFrameDecoder, type FrameDecoder } from './frame-decoder.ts';
export type {
  DecoderOptions,
  DecoderPhase,
  EndReason,
  MintId,
  ProtocolId,
  StreamDecoder,
  ThinkTags,
} from './decoder.ts';
// eslint-disable-next-line @typescript-eslint/no-deprecated -- it stays for those who import it
export type { WireApi } from './decoder.ts';
export { Repairs, repairs, type Repair } from './repairs.ts';
export { toChatBody, toChatRequest, type ChatBodyOptions } from './chat/request.ts';
export { fromChatRequest } from './chat/request-parse.ts';
export { toResponsesBody, toResponsesRequest, type ResponsesBodyOptions } from './responses/request.ts';
export { fromResponsesRequest } from './responses/request-parse.ts';
export type { RequestBody, UnsendablePart } from './request-body.ts';
export { chatExtraOf, responsesExtraOf } from './request-extra.ts';
export { InvalidFieldError, type ParsedRequest } from './request-fields.ts';
export { chatQuirksOf, type ChatQuirks } from './quirks.ts';
export { createChatEncoder, encodeChatBody, encodeChatSse } from './chat/encode.ts';
export type { ChatEncoder, ChatEncoderOptions } from './chat/encode.ts';
export { createResponsesEncoder, encodeResponsesBody, encodeResponsesSse } from './responses/encode.ts';
export type { ResponsesEncoder, ResponsesEncoderOptions } from './responses/encode.ts';
export { toDataSse, toEventSse, type WireEvent } from './encode-event.ts';
export { httpStatusOf, wireErrorOf, type WireError } from './encode-error.ts';
export {
  createOrderValidator,
  validateOrder,
  type OrderValidator,
  type OrderValidatorOptions,
  type OrderViolation,
} from './responses/validate.ts';
export { createMessagesValidator, validateMessagesOrder } from './messages/validate.ts';
export {
  createToolMap,
  createToolRestorer,
  mapInputItems,
  type MappedInput,
  type ToolMap,
  type ToolMapInput,
  type ToolRestorer,
  type ToolTarget,
  type Uncarried,
} from './tools/index.ts';

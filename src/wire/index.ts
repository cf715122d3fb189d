/** `turnwire/wire`: the protocols as pure state machines, bytes and values in, values out. */
export { createDecoder } from './stream-decoder.ts';
export { createResponsesFrameDecoder, type FrameDecoder } from './frame-decoder.ts';
export type { DecoderOptions, DecoderPhase, EndReason, MintId, StreamDecoder, WireApi } from './decoder.ts';

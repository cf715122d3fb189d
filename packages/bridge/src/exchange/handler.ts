import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { Exchange } from '../observe/exchange.ts';
import type { ErrorForm } from '../reply/api-error.ts';
import type { BridgeContext } from './context.ts';

/** One request that was let in. */
export interface ApiRequest {
  readonly context: BridgeContext;
  /** Names it in the log, in the trace, and to its client in `x-request-id`. */
  readonly id: string;
  readonly exchange: Exchange;
  readonly method: string;
  /** The target as it came: path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came, in its `content-encoding`; empty where there is none. */
  readonly body: Uint8Array;
  readonly res: ServerResponse;
  /** How its client is told of errors. */
  readonly errors: ErrorForm;
  /** Where an upstream has the same, below its base URL: `responses`, `responses/resp_1/input_items`. Without query. */
  readonly path: string;
  /** The wire of a request for an answer; absent for everything else. */
  readonly protocol: ProtocolId | undefined;
}

/**
 * Answers one request; settles when the answer is written, or its client is gone. Rejects for a bug, or for a store that fails,
 * and only while nothing was written.
 */
export type Handler = (request: ApiRequest) => Promise<void>;

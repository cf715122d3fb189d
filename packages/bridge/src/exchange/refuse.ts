import type { ServerResponse } from 'node:http';
import type { Exchange } from '../observe/exchange.ts';
import type { ApiError } from '../reply/api-error.ts';
import { sendError } from '../reply/reply-writer.ts';

/** Ends an exchange that no model server was asked for, with the error that its client is told. */
export function refuse(exchange: Exchange, res: ServerResponse, error: ApiError): void {
  exchange.onEnd({ how: 'refused', refusal: error });
  sendError(res, error);
}

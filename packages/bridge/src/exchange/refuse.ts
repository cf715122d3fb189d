import type { ApiError } from '../reply/api-error.ts';
import { sendError } from '../reply/reply-writer.ts';
import type { ApiRequest } from './handler.ts';

/** Who is told. */
export type Refusing = Pick<ApiRequest, 'exchange' | 'res' | 'errors'>;

/** Ends an exchange that no model server was asked for, with the error that its client is told. */
export function refuse({ exchange, res, errors }: Refusing, error: ApiError): void {
  exchange.onEnd({ how: 'refused', refusal: error });
  sendError(res, error, errors);
}

import { protocolIds } from '@turnwire/wire/internal/protocols';
import { z } from 'zod';
import { MockUsageError } from '../errors.ts';
import type { FaultUse } from '../faults/fault.ts';
import { describeIssues } from './issues.ts';
import { readJson } from './read-json.ts';

const use = z.strictObject({
  fault: z.string('must be the name of a fault'),
  wire: z.enum([...protocolIds, 'websocket']).optional(),
  requests: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
});

const body = z.strictObject(
  { faults: z.array(z.union([z.string(), use], `must be a name or {"fault", "wire", "requests"}`)) },
  'must be an object such as {"faults": ["finish-then-hold"]}',
);

const knownKeys = [body, use].flatMap((schema) => Object.keys(schema.shape));

/**
 * Reads what `POST /__faults` takes: `{"faults": ["crlf", {"fault": "status:503", "wire": "chat", "requests": 2}]}`.
 *
 * @throws MockUsageError for anything else
 */
export function parseFaults(text: string): readonly FaultUse[] {
  const result = body.safeParse(readJson(text, 'faults'));
  if (!result.success) throw new MockUsageError(describeIssues(result.error.issues, 'faults', knownKeys));
  return result.data.faults.map((each) => (typeof each === 'string' ? { fault: each } : each));
}

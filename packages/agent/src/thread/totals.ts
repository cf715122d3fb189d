import { z } from 'zod';
import { addUsage } from '@turnwire/wire/internal/model/usage';
import { modelServerSchema, readModelServer } from './model-server.ts';
import type { ThreadRecord, ThreadTotals } from './records.ts';
import { readUsage, usageSchema } from './told.ts';

export const NO_TOTALS: ThreadTotals = { turns: 0, usage: undefined, server: undefined };

const schema = z.object({
  turns: z.number(),
  usage: usageSchema.optional(),
  server: modelServerSchema.optional(),
});

/** `undefined` for what is none: summaries of old threads have none. */
export function readTotals(value: unknown): ThreadTotals | undefined {
  const totals = schema.safeParse(value).data;
  return totals === undefined ? undefined : { ...NO_TOTALS, ...totals };
}

/** The totals behind a record. */
export function totalsAfter(totals: ThreadTotals, record: ThreadRecord): ThreadTotals {
  switch (record.type) {
    case 'turn.started':
      return { ...totals, turns: record.turn, server: readModelServer(record.server) };
    case 'turn.ended':
      return { ...totals, usage: addUsage(totals.usage, readUsage(record.usage)) };
    case 'compacted':
      return readTotals(record.totals) ?? totals;
    default:
      return totals;
  }
}

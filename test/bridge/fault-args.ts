/** Arguments with which each fault shows within a short answer: numbers of events are such that its text has begun on every wire. */
export const faultArgs: Readonly<Record<string, string>> = {
  status: ':500',
  'slow-headers': ':30',
  'slow-first-byte': ':30',
  drip: ':2',
  'stall-after': ':5',
  'reset-after': ':5',
  'cut-after': ':5',
  'retry-after': ':1:99',
  'rate-limit-text': ':28ms:99',
  'turn-state': ':ts-1',
  'param-refused': ':temperature',
  'keep-alive-comments': ':100',
  'slow-close': ':300',
  'usage-late': ':30',
};

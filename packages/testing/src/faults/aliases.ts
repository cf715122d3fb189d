/** Other names of faults, in the words of the Messages wire. */
export const faultAliases: Readonly<Record<string, string>> = {
  'no-message-stop': 'no-sentinel',
  'no-message-delta': 'no-finish-done',
  'hold-after-stop-reason': 'finish-then-hold',
  'hold-after-message-stop': 'done-then-hold',
  'error-event': 'error-mid-stream',
};

/** The other names of a fault. */
export function aliasesOf(name: string): readonly string[] {
  return Object.keys(faultAliases).filter((alias) => faultAliases[alias] === name);
}

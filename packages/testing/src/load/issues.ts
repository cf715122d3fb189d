import { nearest } from '@turnwire/wire/internal/base/nearest';
import type { z } from 'zod';

/** What is wrong with a value, a line for each: where, and the nearest of the known keys for an unknown one. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  where: string,
  knownKeys: readonly string[],
): string {
  return issues.map((issue) => `${where}: ${describe(issue, knownKeys)}`).join('\n');
}

function describe(issue: z.core.$ZodIssue, knownKeys: readonly string[]): string {
  const path = issue.path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  const at = path === '' ? '' : `${path}: `;
  if (issue.code !== 'unrecognized_keys') return `${at}${issue.message}`;
  return issue.keys
    .map((key) => {
      const near = nearest(
        key,
        knownKeys.filter((known) => known !== key),
      );
      return `${at}unknown key "${key}"${near === undefined ? '' : `: did you mean ${near}?`}`;
    })
    .join('; ');
}

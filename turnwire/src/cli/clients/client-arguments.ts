import type { Option } from 'commander';
import { nearest } from '@turnwire/wire/internal/base/nearest';
import { UsageError } from '../exit.ts';

/** Flags of ours that no client has: among its arguments they are in the wrong place. */
const oursAlone = ['--upstream', '--wire', '--env-key', '--context-window', '--search-url', '--think-tags'];

/**
 * The arguments of `turnwire run` with the `--` that people leave out. Behind the client's name all is the client's from the first
 * word on, or the first flag that is none of ours: `codex exec --json "hi"`, `claude -p "hi"`.
 *
 * @param options - ours
 * @throws UsageError for what is most likely a flag of ours
 */
export function clientArguments(argv: readonly string[], options: readonly Option[]): string[] {
  const at = findTheirs(argv, options);
  const [first, ...others] = argv.slice(at < 0 ? argv.length : at);
  if (first === undefined) return [...argv];
  const meant = first.startsWith('--') ? nearest(nameOf(first), oursAlone) : undefined;
  if (meant?.slice(0, 4) === first.slice(0, 4)) {
    throw new UsageError(`unknown flag ${nameOf(first)}: did you mean ${meant}? One of the client's goes behind --`);
  }
  const end = others.indexOf('--');
  const lost = others.slice(0, end < 0 ? undefined : end).find((word) => oursAlone.includes(nameOf(word)));
  if (lost !== undefined) {
    throw new UsageError(`${nameOf(lost)} has to stand before ${first}: from there on all is for the client`);
  }
  return [...argv.slice(0, at), '--', first, ...others];
}

/** Where the client's arguments begin; -1: nowhere, or behind a `--`. */
function findTheirs(argv: readonly string[], options: readonly Option[]): number {
  let hasClient = false;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') return -1;
    if (!word.startsWith('-')) {
      if (hasClient) return at;
      hasClient = true;
      continue;
    }
    const option = options.find(({ long, short }) => [long, short].includes(nameOf(word)));
    if (option === undefined && hasClient && !help.includes(word)) return at;
    if (option?.required === true && !word.includes('=')) at += 1;
  }
  return -1;
}

const help = ['-h', '--help'];

function nameOf(word: string): string {
  return word.split('=', 1)[0] ?? word;
}

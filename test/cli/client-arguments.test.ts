import { Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { clientArguments } from '../../turnwire/src/cli/clients/client-arguments.ts';

const options = ['--upstream <url>', '--model <name>', '--think-tags', '-h, --help'].map((flags) => new Option(flags));
const split = (line: string): string => clientArguments(line.split(' '), options).join(' ');

describe('the arguments of turnwire run', () => {
  it.each([
    ['codex exec hi', 'codex -- exec hi'],
    ['codex exec --json --model x hi', 'codex -- exec --json --model x hi'],
    [
      '--upstream u codex --model tiny --think-tags exec -- -x',
      '--upstream u codex --model tiny --think-tags -- exec -- -x',
    ],
    ['claude --upstream=u -p hi', 'claude --upstream=u -- -p hi'],
    ['claude --continue', 'claude -- --continue'],
    ['codex exec -- --upstream', 'codex -- exec -- --upstream'],
  ])("%s: the client's own begin at the first that is none of ours", (line, expected) => {
    expect(split(line)).toBe(expected);
  });

  it.each(['codex', 'codex --upstream u', 'codex --upstream u -- exec hi', 'codex --help', '--wrong codex', '--help'])(
    '%s is left as it is',
    (line) => expect(split(line)).toBe(line),
  );

  it.each([
    ['codex exec --upstream u hi', '--upstream has to stand before exec: from there on all is for the client'],
    ['claude -p hi --upstream=u', '--upstream has to stand before -p: from there on all is for the client'],
    ['codex --upsteam u', "unknown flag --upsteam: did you mean --upstream? One of the client's goes behind --"],
  ])('%s is refused', (line, message) => {
    expect(() => split(line)).toThrow(message);
  });
});

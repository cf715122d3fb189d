import { expect, test } from 'vitest';
import { tmuxHasLinks } from '../../turnwire/src/cli/tmux-links.ts';

test.each([
  ['3.3a', false],
  ['3.4', true],
  ['3.5a', true],
  ['3.10', true],
  ['4.0', true],
  ['next-3.6', true],
  ['2.9', false],
  ['master', false],
])('tmux %s has links of its own: %s', (version, has) => {
  expect(tmuxHasLinks({ TERM_PROGRAM: 'tmux', TERM_PROGRAM_VERSION: version })).toBe(has);
});

test('a variable that tells of another terminal tells nothing of tmux', () => {
  expect(tmuxHasLinks({ TERM_PROGRAM: 'iTerm.app', TERM_PROGRAM_VERSION: '3.5.1' })).toBe(false);
  expect(tmuxHasLinks({})).toBe(false);
});

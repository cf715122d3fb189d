/**
 * True in a tmux that has links (OSC 8) itself, since 3.4 (its CHANGES): it keeps them, and gives them to a terminal that is known to have
 * them. An older one drops the sequence. tmux names itself in its variables since 3.2, so that nobody has to be asked.
 */
export function tmuxHasLinks(env: Readonly<Record<string, string | undefined>>): boolean {
  const [, major = '0', minor = '0'] = /^(?:next-)?(\d+)\.(\d+)/.exec(env.TERM_PROGRAM_VERSION ?? '') ?? [];
  return env.TERM_PROGRAM === 'tmux' && Number(major) * 100 + Number(minor) >= 304;
}

const MARK = '<user_command>';

/** What the model is told of a command that the person ran. */
export function ownCommandText(command: string, output: string): string {
  return `${MARK}\nThe user ran this command:\n$ ${command}\n${output}\n</user_command>`;
}

/** True for a text that tells of one: the person has seen more than that. */
export function isOwnCommandText(text: string): boolean {
  return text.startsWith(MARK);
}

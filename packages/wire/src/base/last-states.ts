/**
 * A text with carriage returns as a terminal leaves it on the screen: of a line that is begun anew (a progress bar, a
 * counter) the last state. A carriage return at the end of a line stays: it is part of the line's end.
 */
export function lastStates(text: string): string {
  return text.includes('\r') ? text.split('\n').map(lastState).join('\n') : text;
}

function lastState(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end -= 1;
  return end === 0 ? line : line.slice(line.lastIndexOf('\r', end - 1) + 1);
}

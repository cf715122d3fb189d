/** A web address that may be followed: nothing else in a model's text is one that a click should open. */
const ADDRESS = /^https:\/\/[\x21-\x7e]{1,2000}$/;

/** The sequences of a link (OSC 8), whole: the only ones of their kind that a line may have. */
export const LINK_SEQUENCE = String.raw`\x1b\]8;;(?:https:\/\/[\x21-\x7e]{1,2000})?\x1b\\`;

/** A text that leads to `address` in terminals that know links. As it is when that is no address of the web. */
export function linked(text: string, address: string): string {
  return ADDRESS.test(address) ? `\x1b]8;;${address}\x1b\\${text}\x1b]8;;\x1b\\` : text;
}

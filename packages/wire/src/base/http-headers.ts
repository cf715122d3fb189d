/** Headers as Node gives them: by lower-case name; a list where the name came more than once. */
export type HeaderValues = Readonly<Record<string, string | string[] | undefined>>;

/** The first value of a header. */
export function firstHeaderValue(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}

/** All values of a header in one line, as RFC 9110, section 5.3 lets them be joined. */
export function joinedHeaderValue(value: string | readonly string[]): string {
  return typeof value === 'object' ? value.join(', ') : value;
}

/** All values of the header of that lower-case name in one line; undefined where it is absent. */
export function headerIn(headers: HeaderValues, name: string): string | undefined {
  const value = headers[name];
  return value === undefined ? undefined : joinedHeaderValue(value);
}

/** RFC 9110, section 7.6.1, and `proxy-connection`, which old clients send for `connection`. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Finds the headers that belong to one connection and must not be handed on: the known ones, and those that the
 * message's own `Connection` header names. Names may be in any case.
 */
export function hopByHopTest(connection?: string): (name: string) => boolean {
  const named = new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return (name) => HOP_BY_HOP.has(name.toLowerCase()) || named.has(name.toLowerCase());
}

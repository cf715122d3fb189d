/** A key as most servers of models want it: RFC 6750, section 2.1. */
export function bearerOf(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` };
}

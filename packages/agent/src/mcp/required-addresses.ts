import type { ElicitRequestURLParams } from '@modelcontextprotocol/sdk/types.js';

/**
 * Where the person has to go before a call is taken, when that is what an error of a server says (-32042, `UrlElicitationRequired`). None
 * where it names more than `most`, or anything else: what it asks for is done as a whole.
 */
export async function requiredAddresses(error: unknown, most: number): Promise<readonly ElicitRequestURLParams[]> {
  const { ElicitRequestURLParamsSchema, UrlElicitationRequiredError } =
    await import('@modelcontextprotocol/sdk/types.js');
  if (!(error instanceof UrlElicitationRequiredError)) return [];
  const asked = ElicitRequestURLParamsSchema.array().max(most).safeParse(error.elicitations);
  return asked.success ? asked.data : [];
}

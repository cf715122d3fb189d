/** A server that clients are to talk to. */
interface ToldServer {
  readonly url: string;
  /** The same with `/v1`. */
  readonly baseUrl: string;
}

/** The variables in which the SDKs of the wires look for their server, and for a key: they want one where the server takes any. */
export function sdkVariables({ url, baseUrl }: ToldServer, key = 'none'): Readonly<Record<string, string>> {
  return {
    OPENAI_BASE_URL: baseUrl,
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: key,
    ANTHROPIC_API_KEY: key,
  };
}

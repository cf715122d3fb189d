/** A value of a form that a person filled in. */
export type ElicitationValue = string | number | boolean | readonly string[];

/** One of the values that a field may have. */
export interface ElicitationChoice {
  /** What the server gets. */
  readonly value: string;
  /** For the person. */
  readonly title: string;
}

interface FieldBase {
  /** The server's name of it. */
  readonly name: string;
  /** For the person. */
  readonly title: string;
  readonly description?: string | undefined;
  readonly isRequired: boolean;
}

/** What is asked for in one field, and which values fit. Counts are characters, or choices. */
export type ElicitationField = FieldBase &
  (
    | {
        readonly type: 'string';
        readonly minLength?: number | undefined;
        readonly maxLength?: number | undefined;
        readonly format?: 'email' | 'uri' | 'date' | 'date-time' | undefined;
        readonly default?: string | undefined;
      }
    | {
        readonly type: 'number' | 'integer';
        readonly minimum?: number | undefined;
        readonly maximum?: number | undefined;
        readonly default?: number | undefined;
      }
    | { readonly type: 'boolean'; readonly default?: boolean | undefined }
    | { readonly type: 'choice'; readonly choices: readonly ElicitationChoice[]; readonly default?: string | undefined }
    | {
        readonly type: 'choices';
        readonly choices: readonly ElicitationChoice[];
        readonly minItems?: number | undefined;
        readonly maxItems?: number | undefined;
        readonly default?: readonly string[] | undefined;
      }
  );

interface ElicitationBase {
  /** Name of the MCP server. */
  readonly server: string;
  /** The server's words: a stranger's. */
  readonly message: string;
}

/** A question of an MCP server to the person. All its text is bounded, and shows every character that can be hidden. */
export type Elicitation =
  /** Values are asked for; without fields it is a yes or no. */
  | (ElicitationBase & { readonly mode: 'form'; readonly fields: readonly ElicitationField[] })
  /** Something is to be done at an address (`http:`, `https:`), past the agent and the model: a sign-in, a payment. */
  | (ElicitationBase & {
      readonly mode: 'url';
      readonly url: string;
      /** The call was refused until it is done: `accept` says that it is, and the call is made again. */
      readonly isRequired: boolean;
      /** Aborts when the server says that it is done. */
      readonly completed: AbortSignal;
    });

/** What a server asks for that nobody can be asked. */
export interface UnfitElicitation {
  readonly mode: 'unfit';
  readonly server: string;
  /** Why not, for the person. */
  readonly problem: string;
}

/** What the person did. `cancel`: no decision. `content`: by the names of the fields; only of a form. */
export type ElicitationAnswer =
  | { readonly action: 'accept'; readonly content?: Readonly<Record<string, ElicitationValue>> }
  | { readonly action: 'decline' }
  | { readonly action: 'cancel' };

/** A question that waits for its answer. */
export type ElicitationRequest = Elicitation & { readonly elicitationId: string; readonly callId: string };

/** How a front end asks a person what MCP servers want to know. */
export interface Elicitor {
  /** What it can ask; what it cannot is declined, and the person told. */
  readonly modes: readonly Elicitation['mode'][];
  /**
   * Asks a person. The agent calls it for one question at a time, approvals included. When `signal` aborts, the answer no
   * longer counts, and the front end should take its prompt away. A rejection counts as a refusal.
   */
  ask(request: ElicitationRequest, options: { signal: AbortSignal }): Promise<ElicitationAnswer>;
}

/** Asks the person for the tool call that runs. Never rejects; ends with `signal`, which aborts when the call ends, at the latest. */
export type Elicit = (
  elicitation: Elicitation | UnfitElicitation,
  options: { signal: AbortSignal },
) => Promise<ElicitationAnswer>;

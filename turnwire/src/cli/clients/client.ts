import type { CliContext } from '../context.ts';

/** A bridge, as a client is pointed to it. */
export interface Target {
  /** Address of the bridge, without `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Tokens that fit into the model's context; undefined when nobody knows. */
  readonly contextWindow: number | undefined;
  /** The bridge has an engine for web searches. */
  readonly search: boolean;
  /** The bridge takes WebSockets. Default true. */
  readonly websockets?: boolean;
}

/** A bridge that lives as long as the client does. */
export interface LaunchTarget extends Target {
  /** What the bridge wants of its callers. Others can read argv, so it is for the environment and for files. */
  readonly token: string;
  /** A folder that this user alone can read, for files that live as long as the client. */
  readonly folder: string;
}

/** How a client is started so that it talks to a bridge, with nothing of its user's changed. */
export interface Launch {
  /** Arguments before those of the user, who has the last word. */
  readonly args: readonly string[];
  /** Variables to set; those that are undefined are taken out of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files of `folder`, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** A program that `turnwire run` can start. */
export interface LaunchableClient {
  readonly name: string;
  /** What it is called in `PATH`. */
  readonly program: string;
  /** How to get it. */
  readonly install: string;
  /** @param env - the environment that it would have without us */
  readonly launch: (target: LaunchTarget, env: CliContext['env']) => Launch;
}

/** The variable that clients take the bridge's token from. */
export const TOKEN_VARIABLE = 'TURNWIRE_TOKEN';

/** A bridge that is started apart, and that a client's own configuration names. */
export interface SetupTarget extends Target {
  /** The environment variable with the token that the bridge wants; undefined where it wants none. */
  readonly tokenVariable: string | undefined;
}

/** A program whose own configuration `turnwire setup` writes. */
export interface ConfigurableClient {
  readonly name: string;
  /** The places of its file, best first: the first that is there is changed, else the first one is made. */
  readonly files: (cli: Pick<CliContext, 'env' | 'home'>) => readonly string[];
  /** A file beside it that its program would not read any more, once there is one of `files`. */
  readonly rival?: (cli: Pick<CliContext, 'env' | 'home'>) => string;
  /**
   * The text of the file, pointed to the bridge; of no file, the empty text. Rejects with an EditError for a text that cannot
   * be changed. What edits a format is loaded here: a bridge that names a client edits nothing.
   */
  readonly edit: (text: string, target: SetupTarget) => Promise<string>;
  /** What is left to do, one line each. */
  readonly hints: (target: SetupTarget) => readonly string[];
}

/** What clients without a token send: some refuse to start without a key. */
export const NO_TOKEN = 'none';

import type { CliContext } from '../context.ts';

/** A bridge, as a client is pointed to it. */
export interface Target {
  /** Address of the bridge, without `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Tokens that fit into the model's context; undefined when nobody knows. */
  readonly contextWindow: number | undefined;
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

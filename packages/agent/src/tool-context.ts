import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { WebAccess } from './web-access.ts';
import type { Workspace } from './workspace.ts';

/** What the built-in tools share. */
export interface ToolsetContext {
  readonly workspace: Workspace;
  /** Environment of commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  readonly web: WebAccess;
}

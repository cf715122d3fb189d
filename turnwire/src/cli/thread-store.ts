import { join } from 'node:path';
import { ThreadStore } from '@turnwire/agent/internal/thread/store';
import type { CliContext } from './context.ts';
import { stateFolder } from './user-folders.ts';

/** Where conversations are kept. */
export function threadStore(cli: CliContext): ThreadStore {
  return new ThreadStore(join(stateFolder(cli), 'threads'));
}

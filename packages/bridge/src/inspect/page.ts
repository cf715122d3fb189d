import type { RecordsMessage } from './api.ts';

/** One file of the inspector's page. */
export interface PageFile {
  /** Below `/inspect/`; `index.html` is `/inspect/` itself. */
  readonly path: string;
  /** Its media type. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Makes a tape of one exchange, as JSON lines; undefined where it has no request to replay. */
export type TapeMaker = (exchange: Pick<RecordsMessage, 'row' | 'records'>) => string | undefined;

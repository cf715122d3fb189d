import type { ProtocolId } from '@turnwire/wire';

/** How often something that is random went wrong. */
export interface Rate {
  readonly wire: ProtocolId;
  readonly name: string;
  /** In words: what each of the `n` was looked at for. */
  readonly what: string;
  /** How many of them had it. */
  readonly k: number;
  /** How many were looked at. */
  readonly n: number;
}

import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ScenarioInput } from '../load/scenario-input.ts';
import type { FaultLike } from '../faults/fault.ts';

/** What a mock serves, and where. */
export interface MockOptions {
  /** Serve this wire alone; the others answer 404. Default: all. */
  readonly wire?: ProtocolId | undefined;
  /** A scenario, a builder, or the name of a built-in one. Default: says that it is scripted. */
  readonly scenario?: ScenarioInput | undefined;
  /** Faults of every answer, e.g. `finish-then-hold`, `status:503:2`, `drip:20@1` (only request 1). Default: none. */
  readonly faults?: readonly FaultLike[] | undefined;
  /** TCP port. Default 0: a free one. */
  readonly port?: number | undefined;
  /** Default `127.0.0.1`. Any other than loopback needs `authToken` or `insecure`. */
  readonly host?: string | undefined;
  /** What clients have to send, as `Authorization: Bearer` or `x-api-key`; others get 401. Default: nothing. */
  readonly authToken?: string | undefined;
  /** Listens beyond loopback without a token. Default false. */
  readonly insecure?: boolean | undefined;
  /** Names that a `Host` header may have beside the loopback names and `host`; `*` allows all. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Milliseconds between two events of an answer whose reply sets no pace. Default: none. */
  readonly paceMs?: number | undefined;
  /** Number of model requests that have to arrive: `verify()` checks it. Default: any number. */
  readonly expect?: number | undefined;
  /** Unix time in seconds that answers carry. Default 1767225600. */
  readonly createdAt?: number | undefined;
  /** Number of requests kept for `requests`, of 64 Mi characters at most; the oldest go first. Default 10,000. */
  readonly keepRequests?: number | undefined;
  /** Default: the clock of the system. */
  readonly clock?: Clock | undefined;
}

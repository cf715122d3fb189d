import type { WebSocket } from 'ws';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { errorFrame, type ApiError } from './api-error.ts';
import type { ReplyEncoder } from './reply-encoder.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** Bytes that may wait in a client's socket before the upstream is not read any more. */
const HIGH_WATER_BYTES = 256 * 1024;

/** A frame of a stream of its own on a socket: each event of such a one names it (`stream_id`). */
export function inStream(text: string, streamId: string | undefined): string {
  return streamId === undefined ? text : `${text.slice(0, -1)},"stream_id":${JSON.stringify(streamId)}}`;
}

/** Sends each event as one text frame. */
export class SocketReplyWriter implements ReplyWriter {
  committed = false;
  /** The client was told an error in place of an answer. */
  rejected = false;
  readonly #client: WebSocket;
  readonly #encoder: ReplyEncoder;
  readonly #streamId: string | undefined;
  /** Frames that the connection has not taken yet. */
  #unsent = 0;
  #settle: (() => void) | undefined;

  constructor(client: WebSocket, encoder: ReplyEncoder, streamId?: string) {
    this.#streamId = streamId;
    this.#client = client;
    this.#encoder = encoder;
  }

  setHeaders(): void {
    // The handshake is long over.
  }

  send(events: readonly WireEvent[]): void {
    this.committed ||= events.length > 0;
    for (const event of events) this.#sendFrame(event.data);
  }

  get full(): boolean {
    return this.#client.bufferedAmount >= HIGH_WATER_BYTES && this.#client.readyState === this.#client.OPEN;
  }

  drained(): Promise<void> {
    return this.#until(() => !this.full);
  }

  flushed(): Promise<void> {
    return this.#until(() => this.#unsent === 0);
  }

  heartbeat(): void {
    const { heartbeat } = this.#encoder;
    if (this.#client.readyState !== this.#client.OPEN) return;
    if (heartbeat === undefined) this.#client.ping();
    else this.#client.send(inStream(heartbeat.data, this.#streamId));
  }

  finish(events: readonly WireEvent[]): void {
    this.send(events);
  }

  fail(events: readonly WireEvent[]): void {
    this.send(events);
  }

  /** Errors are frames here. */
  reject(error: ApiError): void {
    this.rejected = true;
    const { headers } = error;
    this.#sendFrame(JSON.stringify({ ...errorFrame(error), ...(headers === undefined ? {} : { headers }) }));
  }

  #sendFrame(text: string): void {
    this.#unsent++;
    this.#client.send(inStream(text, this.#streamId), this.#onSent);
  }

  readonly #onSent = (): void => {
    this.#unsent--;
    this.#settle?.();
  };

  /** Settles when it holds after a frame was taken, or the connection is gone. */
  #until(holds: () => boolean): Promise<void> {
    if (holds() || this.#client.readyState === this.#client.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#client.off('close', settle);
        this.#settle = undefined;
        resolve();
      };
      this.#client.on('close', settle);
      this.#settle = () => {
        if (holds()) settle();
      };
    });
  }
}

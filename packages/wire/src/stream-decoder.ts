import type { JsonObject } from './base/json.ts';
import type { ModelEvent } from './model/events.ts';
import type { ModelError } from './model/errors.ts';
import { BodySniffer, htmlError, tooDeepError } from './body.ts';
import type { DecoderOptions, DecoderPhase, EndReason, ProtocolId, StreamDecoder } from './decoder.ts';
import type { WireMachine } from './machine.ts';
import type { AnswerProtocol } from './protocol.ts';
import { machines } from './machines.ts';
import type { Repairs } from './repairs.ts';
import { EventReader, type EventSink } from './sse/reader.ts';
import { EventTemplates, type ValueSink } from './sse/templates.ts';
import { ThinkStage } from './think-tags/think-stage.ts';

const DEFAULT_MAX_EVENT = 16 * 1024 * 1024;

/**
 * A decoder for the bytes of one response: SSE, or the finished JSON body that some servers send instead.
 *
 * @example
 * ```ts
 * const decoder = createDecoder('chat', { usageAsked: true });
 * for await (const chunk of body) for (const event of decoder.push(chunk)) show(event);
 * decoder.end({ type: 'close' }).forEach(show);
 * if (decoder.failure) throw decoder.failure;
 * ```
 */
export function createDecoder(wire: ProtocolId, options: DecoderOptions = {}): StreamDecoder {
  return new ByteDecoder(machines[wire](options), options, { thoughts: ThinkStage.of(options) });
}

/** Sees the events of a stream as they come, after they were read. */
export interface EventTap {
  /** Sees an event that was parsed. Answers whether those that only repeat it but for a text and numbers need not be shown. */
  see(value: JsonObject | undefined, data: string, eventLine: string | undefined): boolean;
  /** Sees one that only repeats one that it has seen, but for texts and numbers. The value is valid until the call returns. */
  seeAgain(value: JsonObject): void;
}

/** The same for a wire as a value, so that the others need not be there; it leaves the text between think tags where it is. */
export function createDecoderOf(
  wire: Pick<AnswerProtocol, 'createMachine'>,
  options: Omit<DecoderOptions, 'thinkTags'>,
  tap?: EventTap,
): ByteDecoder {
  return new ByteDecoder(wire.createMachine(options), options, { tap });
}

/** What else looks at an answer while it is decoded. */
interface Beside {
  readonly tap?: EventTap | undefined;
  readonly thoughts?: ThinkStage | undefined;
}

/** A decoder of the bytes of one response. */
export class ByteDecoder implements StreamDecoder, EventSink {
  readonly #machine: WireMachine;
  readonly #reader: EventReader;
  readonly #limit: number;
  readonly #repairs: Repairs | undefined;
  readonly #thoughts: ThinkStage | undefined;
  readonly #tap: EventTap | undefined;
  /** What the tap said of the last event. */
  #mayGoUnseen = true;
  /** Dropped at the first event of a stream. */
  #sniffer: BodySniffer | undefined;

  constructor(machine: WireMachine, options: DecoderOptions, { tap, thoughts }: Beside) {
    this.#tap = tap;
    this.#machine = machine;
    this.#repairs = options.repairs;
    this.#thoughts = thoughts;
    this.#limit = options.maxEventBytes ?? DEFAULT_MAX_EVENT;
    this.#sniffer = new BodySniffer(this.#limit);
    const isFast = options.templates !== false;
    const values = tap === undefined ? machine : this.#tapped(tap);
    // A tap has to see the text of an event that is new to it.
    const known = tap === undefined ? options.shapes?.ofAnswer((value) => this.#onKnown(value)) : undefined;
    const templates = isFast ? new EventTemplates(machine.templateRules, this.#limit, values, known) : undefined;
    this.#reader = new EventReader(this, this.#limit, templates);
  }

  get phase(): DecoderPhase {
    return this.#machine.phase;
  }

  get failure(): ModelError | undefined {
    return this.#machine.failure;
  }

  get skipped(): number {
    return this.#machine.skipped;
  }

  get model(): string | undefined {
    return this.#machine.model;
  }

  get ended(): boolean {
    return this.#machine.phase === 'ended';
  }

  /** How many bytes of the last chunk lie behind the end of the answer. */
  get unread(): number {
    return this.#reader.unread;
  }

  push(chunk: Uint8Array): ModelEvent[] {
    if (!this.ended) this.#reader.push(chunk);
    return this.#take();
  }

  end(reason: EndReason): ModelEvent[] {
    if (!this.ended) this.#end(reason);
    return this.#take();
  }

  #take(): ModelEvent[] {
    const events = this.#machine.take();
    return this.#thoughts === undefined ? events : this.#thoughts.read(events);
  }

  #end(reason: EndReason): void {
    if (reason.type === 'grace') {
      this.#machine.onGrace();
      return;
    }
    const cut = this.#reader.finish();
    if (cut && reason.type === 'close' && this.failure === undefined) this.#repairs?.add('no_last_blank_line');
    if (this.ended) return;
    if (reason.type === 'failed') this.#machine.fail(reason.error);
    else this.#close();
  }

  #close(): void {
    const body = this.#sniffer?.result();
    if (body?.type === 'json') this.#machine.onWhole(body.value);
    else if (body?.type === 'lines') this.#machine.onLines(body.first);
    else if (body?.type === 'html') this.#machine.fail(htmlError());
    else if (body?.type === 'too_deep') this.#machine.fail(tooDeepError());
    else this.#machine.onClose();
  }

  onText(text: string): void {
    this.#sniffer?.observe(text);
  }

  onInvalid(): void {
    this.#repairs?.add('invalid_utf8');
  }

  onData(data: string, eventLine: string | undefined): JsonObject | undefined {
    this.#sniffer = undefined;
    const value = this.#machine.onData(data, eventLine);
    this.#mayGoUnseen = this.#tap?.see(value, data, eventLine) ?? true;
    return value;
  }

  /** An event whose shape an earlier answer had. */
  #onKnown(value: JsonObject): void {
    this.#sniffer = undefined;
    this.#machine.onValue(value);
  }

  /** The machine, and the tap behind it: an event that has to be seen has no short way. */
  #tapped(tap: EventTap): ValueSink {
    const machine = this.#machine;
    return {
      onObject: (value) => {
        machine.onObject(value);
        tap.seeAgain(value);
      },
      routeOf: (value) => (this.#mayGoUnseen ? machine.routeOf(value) : undefined),
      get phase() {
        return machine.phase;
      },
    };
  }

  onOverflow(): void {
    this.#machine.onOverflow(this.#limit);
  }
}

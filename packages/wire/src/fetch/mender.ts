import type { JsonObject } from '../base/json.ts';
import type { WireEvent } from '../encode-event.ts';
import type { ModelError } from '../model/errors.ts';
import type { CompletedEvent, ModelEvent } from '../model/events.ts';
import type { AnswerEncoder } from '../protocol.ts';
import { Repairs, type Repair } from '../repairs.ts';
import { CallGuard } from '../stages/call-guard.ts';
import { emptyArguments } from '../stages/empty-arguments.ts';
import { createDecoderOf, type ByteDecoder } from '../stream-decoder.ts';
import { PassedEvents } from './passed-events.ts';
import { WholeMessages } from './whole-messages.ts';
import type { Asked, Health, HealingWire, Minting } from './wire.ts';

/** What goes to the SDK. */
export interface Mended {
  readonly bytes: readonly Uint8Array[];
  /** The answer is over. */
  readonly over: boolean;
  /** Why it failed, where that is told by no event of the server's own. */
  readonly failure: ModelError | undefined;
}

export interface MenderOptions {
  readonly wire: HealingWire;
  readonly asked: Asked;
  readonly minting: Minting;
  /** Sees each event of the stream; one that was no object as `undefined`. */
  readonly witness: { see(event: JsonObject | undefined): void } | undefined;
  /** Hears of what is changed and is no repair of the decoder's. */
  readonly tell: (repair: Repair) => void;
}

const text = new TextEncoder();

/**
 * One stream on its way to an SDK. As long as the SDK can take its events they go on as they came, byte for byte; from the first on that it
 * cannot take, the answer is told by the encoder of its wire, as the same answer.
 */
export class Mender {
  readonly decoder: ByteDecoder;
  readonly repairs = new Repairs();
  readonly #wire: HealingWire;
  readonly #asked: Asked;
  readonly #minting: Minting;
  readonly #tellOf: (repair: Repair) => void;
  readonly #health: Health;
  readonly #guard = new CallGuard('promote');
  readonly #messages = new WholeMessages(this.repairs);
  /** Nothing came that the SDK cannot take. */
  #isGood = true;
  /** Nothing goes on as it came, since another kind of answer was asked for. */
  #tellsAll = false;
  /** What went on as it came, for the encoder that may have to go on. */
  readonly #passed = new PassedEvents();
  #encoder: AnswerEncoder | undefined;
  /** Events of the stream so far. */
  #seen = 0;

  constructor({ wire, asked, minting, witness, tell }: MenderOptions) {
    this.#wire = wire;
    this.#asked = asked;
    this.#minting = minting;
    this.#tellOf = tell;
    this.#health = wire.createHealth(asked);
    const options = {
      usageAsked: true, // many servers tell it unasked
      usageOfCut: true,
      usageBehind: true,
      tokenLimit: asked.tokenLimit,
      toolCallsOnStop: 'promote',
      mintId: minting.id,
      mintCallId: () => minting.id('call'),
      repairs: this.repairs,
    } as const;
    this.decoder = createDecoderOf(wire.answers, options, {
      see: (value, data, eventLine) => {
        this.#seen++;
        witness?.see(value);
        if (this.#encoder !== undefined) return witness === undefined;
        const isGood = this.#health.isGood(value, data, eventLine);
        this.#isGood &&= isGood;
        return value === undefined || (witness === undefined && this.#health.mayRepeat(value));
      },
      seeAgain: (value) => {
        witness?.see(value);
        if (this.#encoder === undefined && !this.#health.isGoodAgain(value)) this.#isGood = false;
      },
    });
  }

  /** True once the stream had an event. */
  get hasEvents(): boolean {
    return this.#seen > 0;
  }

  /** What goes on for the bytes and the events that one wait brought. */
  take(raw: readonly Uint8Array[], events: readonly ModelEvent[]): Mended {
    const { decoder } = this;
    const staged = this.#messages.push(emptyArguments.push(this.#guard.push(events)));
    const last = staged.at(-1);
    const completed = last?.type === 'completed' ? last : undefined;
    const told = completed === undefined ? staged : staged.slice(0, -1);
    const over = decoder.phase === 'ended';
    const mayPass = this.#mayPass(staged.length !== events.length);
    if (!mayPass) this.#nameOdd();
    const bytes = mayPass ? this.#pass(raw, told) : this.#tell(told);
    if (!over) return { bytes, over, failure: undefined };
    return this.#end(bytes, completed, this.#guard.failure ?? decoder.failure);
  }

  /** The answer is told anew, and no repair says why. */
  #nameOdd(): void {
    if (this.#encoder === undefined && !this.#tellsAll && this.repairs.changes === 0) this.#tellOf('odd_shape');
  }

  /** The whole answer as one body, after its end. */
  get body(): string {
    return JSON.stringify(this.#encoding().body);
  }

  /** Tells from here on, whatever comes. */
  startTelling(): void {
    this.#isGood = false;
    this.#tellsAll = true;
  }

  /** Whether the failure is one with which an answer ends for this wire, with what there is of it. */
  endsAnswer(error: ModelError): boolean {
    return this.#encoding().endsAnswer(error);
  }

  #mayPass(isChanged: boolean): boolean {
    if (this.#encoder !== undefined) return false;
    return this.#asked.severalChoices || (this.#isGood && !isChanged && this.repairs.changes === 0);
  }

  #pass(raw: readonly Uint8Array[], events: readonly ModelEvent[]): readonly Uint8Array[] {
    this.#health.wentOn();
    for (const event of events) this.#passed.add(event);
    return this.#untilEnd(raw);
  }

  /** Nothing behind the end of the answer goes on. */
  #untilEnd(raw: readonly Uint8Array[]): readonly Uint8Array[] {
    const last = raw.at(-1);
    const { ended, unread } = this.decoder;
    if (!ended || unread === 0 || last === undefined) return raw;
    return [...raw.slice(0, -1), last.subarray(0, last.length - unread)];
  }

  #tell(events: readonly ModelEvent[]): readonly Uint8Array[] {
    const encoder = this.#encoding();
    return this.#written(events.flatMap((event) => encoder.push(event)));
  }

  /** The encoder, which has told what went on as it came. */
  #encoding(): AnswerEncoder {
    if (this.#encoder !== undefined) return this.#encoder;
    const encoder = this.#health.createEncoder(this.#minting);
    this.#encoder = encoder;
    for (const event of this.#passed.take()) encoder.push(event);
    return encoder;
  }

  #written(events: readonly WireEvent[]): readonly Uint8Array[] {
    const { answers } = this.#wire;
    const fresh = this.#health.continued(events.filter((event) => !this.#health.hasTold(event)));
    return fresh.length === 0 ? [] : [text.encode(answers.toSse(fresh))];
  }

  #end(bytes: readonly Uint8Array[], completed: CompletedEvent | undefined, failure: ModelError | undefined): Mended {
    const isTold = this.#encoder === undefined && (failure === undefined || this.#health.toldEnd);
    const closing = isTold ? this.#health.closing(completed?.usage !== undefined) : undefined;
    if (closing !== undefined) return { bytes: [...bytes, ...this.#written(closing)], over: true, failure: undefined };
    if (failure === undefined) this.#nameOdd();
    else if (isSilent(failure)) this.#tellOf('untold_failure');
    const encoder = this.#encoding();
    const last = completed === undefined || failure !== undefined ? [] : encoder.push(completed);
    const failed = failure ?? encoder.failure;
    if (failed === undefined) return { bytes: [...bytes, ...this.#written(last)], over: true, failure: undefined };
    const isEnd = encoder.endsAnswer(failed);
    const events = [...last, ...encoder.fail(failed), ...(isEnd ? [] : this.#wire.loudly(failed))];
    return { bytes: [...bytes, ...this.#written(events)], over: true, failure: isEnd ? undefined : failed };
  }
}

/** True for a failure that no event of the server's told. */
export function isSilent({ kind }: ModelError): boolean {
  return kind === 'stream_truncated' || kind === 'stream_idle';
}

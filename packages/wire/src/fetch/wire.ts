import type { JsonObject } from '../base/json.ts';
import type { WireEvent } from '../encode-event.ts';
import type { ModelError } from '../model/errors.ts';
import type { AnswerEncoder, AnswerProtocol } from '../protocol.ts';
import type { ResumableOptions, ResumableRequest } from './resumable-request.ts';

/** What counts of a request for how its answer is read. */
export interface Asked {
  /** Else one JSON body is wanted. */
  readonly stream: boolean;
  /** The request bounds the answer's tokens. */
  readonly tokenLimit: boolean;
  readonly model: string | undefined;
  /** The SDK reads usage as the last event of a stream. */
  readonly usageEvent: boolean;
  /** Several answers are wanted in one: nobody can write that anew, so its events go on as they came. */
  readonly severalChoices: boolean;
  /** The server keeps the answer under its id, by which its stream can be asked for again. */
  readonly stored: boolean;
}

/** What an answer looks like so far to the SDK that reads it as it came. */
export interface Health {
  /** Looks at the next event. False: the SDK cannot take it as it is, behind those before it. */
  isGood(value: JsonObject | undefined, data: string, eventLine: string | undefined): boolean;
  /** Looks at the next event, which only repeats one that it has seen, but for texts and numbers. */
  isGoodAgain(value: JsonObject): boolean;
  /** Whether events that only repeat this one but for a text are as good as it, so that they need not be looked at. */
  mayRepeat(value: JsonObject): boolean;
  /** The events so far went on as they came. */
  wentOn(): void;
  /** The end of the answer was told, be it a good one, a cut or an error of the server's, by what went on. */
  readonly toldEnd: boolean;
  /**
   * What is still missing behind the events that went on as they came, so that the SDK sees the end that was told;
   * `undefined` where that takes an encoder.
   *
   * @param hasUsage the server told its usage
   */
  closing(hasUsage: boolean): readonly WireEvent[] | undefined;
  /** Whether what the encoder says now was told already by an event that went on as it came. */
  hasTold(event: WireEvent): boolean;
  /** Writes the answer from here on, as the same answer. */
  createEncoder(minting: Minting): AnswerEncoder;
  /** Events of the encoder as they have to be behind those that went on as they came. */
  continued(events: readonly WireEvent[]): readonly WireEvent[];
}

/** Where what the server did not give comes from. */
export interface Minting {
  /** An id that no other has, behind its prefix. */
  readonly id: (prefix: string) => string;
  /** Unix time in seconds. */
  readonly now: () => number;
}

/** One wire as `healing` knows it. */
export interface HealingWire {
  readonly answers: AnswerProtocol;
  /** Whether a body that was sent to the wire's path asks for an answer in it, of a kind that can be healed. */
  isRequest(body: JsonObject): boolean;
  readAsked(body: JsonObject): Asked;
  createHealth(asked: Asked): Health;
  /** Whether a whole answer is as the SDK takes it. */
  isBody(value: JsonObject): boolean;
  /** Whether the body of a refusal is as the SDK reads it. */
  isErrorBody(value: JsonObject): boolean;
  /** What makes the SDK throw a failure that its wire tells without throwing. */
  loudly(error: ModelError): readonly WireEvent[];
  /** Makes a request whose stream can be asked for again. Absent: the wire has no word for that. */
  readonly createResumable?: (options: ResumableOptions) => ResumableRequest;
}

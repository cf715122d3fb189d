import type { Socket } from 'node:net';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { Answers, Message, Questions } from './message.ts';

/** A way to another process. */
export interface Port {
  /**
   * @param socket - is sent, too, and stays open here
   * @param onFailure - told when the other process cannot be reached
   */
  send(message: Message, socket?: Socket, onFailure?: (error: Error) => void): void;
  onMessage(listener: (message: Message, socket: Socket | undefined) => void): void;
  /** Calls back once the other process is gone. */
  onGone(listener: () => void): void;
}

/** What is told that is no question and no answer. */
export type Told = Exclude<Message, { readonly kind: 'ask' | 'answer' | 'failure' }>;

/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 5000;

/** Tells and asks another process. Every question has an end: the answer, a failure, the end of the other one, or the end of the wait. */
export class Channel {
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #answers: Answers;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #asked = 0;

  constructor(port: Port, clock: Clock, answers: Answers, onTold: (told: Told, socket: Socket | undefined) => void) {
    this.#port = port;
    this.#clock = clock;
    this.#answers = answers;
    port.onMessage((message, socket) => {
      if (message.kind === 'ask') void this.#answer(message.number, message.what, message.about);
      else if (message.kind === 'answer') this.#waiting.get(message.number)?.resolve(message.answer);
      else if (message.kind === 'failure') this.#waiting.get(message.number)?.reject(new Error(message.text));
      else onTold(message, socket);
    });
  }

  tell(told: Told, socket?: Socket): void {
    this.#port.send(told, socket);
  }

  /** Rejects when the other side says that it failed, is gone, or says nothing for `ms`. */
  async ask<Q extends keyof Questions>(what: Q, about: Questions[Q][0], ms = ANSWER_MS): Promise<Questions[Q][1]> {
    const number = this.#asked++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = this.#clock.after(ms, () => reject(new Error(`another process has not answered within ${ms} ms`)));
    this.#waiting.set(number, { resolve, reject });
    this.#port.send({ kind: 'ask', number, what, about }, undefined, reject);
    try {
      return (await promise) as Questions[Q][1]; // by `Answers`, which the other side keeps to
    } finally {
      timer.cancel();
      this.#waiting.delete(number);
    }
  }

  /** The other process is gone. */
  close(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the other process is gone'));
  }

  async #answer(number: number, what: keyof Questions, about: unknown): Promise<void> {
    try {
      const answers = this.#answers[what] as ((about: unknown) => Promise<unknown>) | undefined;
      if (answers === undefined) throw new Error(`${what} is not asked here`);
      this.#port.send({ kind: 'answer', number, answer: await answers(about) });
    } catch (error) {
      this.#port.send({ kind: 'failure', number, text: thrownText(error) });
    }
  }
}

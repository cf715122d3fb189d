import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { Head, Step } from '../answer.ts';
import { aborted, pause } from '@turnwire/client/internal/platform/wait';
import type { AnswerPhase, AnswerState, Recorder } from './recorder.ts';

/** What a player needs besides the steps. */
export interface PlayContext {
  readonly clock: Clock;
  readonly state: AnswerState;
  readonly recorder: Recorder;
  /** Aborted when the client leaves or the mock closes. */
  readonly signal: AbortSignal;
}

const BATCH = 16 * 1024;

/** Sends the head of an answer, after its delay. */
export async function playHead(res: ServerResponse, head: Head, context: PlayContext): Promise<void> {
  if (head.delayMs > 0) await pause(context.clock, head.delayMs, context.signal);
  if (context.signal.aborted) return;
  if (head.refuse) {
    enter(context, 'cut');
    res.socket?.destroy();
    return;
  }
  context.state.status = head.status;
  res.writeHead(head.status, head.headers);
  enter(context, 'streaming');
}

/** Sends a whole body at once. */
export function playBody(res: ServerResponse, body: string | Uint8Array, context: PlayContext): void {
  res.end(body);
  context.state.writes++;
  context.state.said ??= 'a whole body';
  enter(context, 'ended');
}

/**
 * Does the steps one after the other. Ends with the last of them, or when the client leaves. Never reads ahead of
 * the socket: what it does not take is waited for.
 */
export async function playSteps(res: ServerResponse, steps: Iterable<Step>, context: PlayContext): Promise<void> {
  let batch: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (size === 0) return;
    const text = batch.join('');
    batch = [];
    size = 0;
    await write(res, text, context);
  };
  for (const step of steps) {
    if (context.signal.aborted) return;
    if (step.do === 'write') {
      context.state.writes++;
      if (step.mark !== undefined) context.state.said = step.mark;
      if (typeof step.data === 'string') {
        size += step.data.length;
        batch.push(step.data);
        if (size >= BATCH) await flush();
        continue;
      }
    }
    await flush();
    await performStep(res, step, context);
  }
  await flush();
}

async function performStep(res: ServerResponse, step: Step, context: PlayContext): Promise<void> {
  switch (step.do) {
    case 'write':
      return write(res, step.data, context);
    case 'wait':
      // The head comes at once, whatever the body waits for.
      if (context.state.writes === 0) res.flushHeaders();
      return pause(context.clock, step.ms, context.signal);
    case 'hold':
      return hold(res, context);
    case 'pulse':
      return pulse(res, step.text, step.everyMs, context);
    case 'end':
      res.end();
      enter(context, 'ended');
      return;
    case 'cut':
    case 'close':
      enter(context, 'cut');
      res.socket?.destroySoon();
      return;
    case 'reset':
      enter(context, 'cut');
      res.socket?.resetAndDestroy();
      return;
    case 'ping':
      return;
  }
}

async function hold(res: ServerResponse, context: PlayContext): Promise<void> {
  res.flushHeaders();
  enter(context, 'held');
  await aborted(context.signal);
}

async function pulse(res: ServerResponse, text: string, everyMs: number, context: PlayContext): Promise<void> {
  enter(context, 'held');
  while (!context.signal.aborted) {
    await write(res, text, context);
    await pause(context.clock, everyMs, context.signal);
  }
}

async function write(res: ServerResponse, data: string | Uint8Array, context: PlayContext): Promise<void> {
  if (context.signal.aborted) return;
  if (res.write(data)) return;
  // Ends when the socket takes more, or when the signal says that nobody will.
  await once(res, 'drain', { signal: context.signal }).catch(() => undefined);
}

/** Notes a change of phase. */
export function enter(context: Pick<PlayContext, 'state' | 'clock' | 'recorder'>, phase: AnswerPhase): void {
  context.state.phase = phase;
  context.state.since = context.clock.now();
  context.recorder.changed();
}

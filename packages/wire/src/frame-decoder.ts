import type { ModelError } from './model/errors.ts';
import type { ModelEvent } from './model/events.ts';
import type { DecoderOptions, DecoderPhase, EndReason } from './decoder.ts';
import { ResponsesMachine } from './responses/machine.ts';
import { ThinkStage } from './think-tags/think-stage.ts';

/** A decoder for one response over a WebSocket, where every text frame is one event. */
export interface FrameDecoder {
  pushText(frame: string): ModelEvent[];
  end(reason: EndReason): ModelEvent[];
  readonly phase: DecoderPhase;
  readonly failure: ModelError | undefined;
  readonly skipped: number;
  /** The model that the answer names, once it has. */
  readonly model: string | undefined;
  /** The first turn state that an event of this response carried (docs/contract.md section 7). */
  readonly turnState: string | undefined;
}

/** Makes the decoder of one response's frames: the same events as from SSE. */
export function createResponsesFrameDecoder(options: Pick<DecoderOptions, 'mintId' | 'thinkTags'> = {}): FrameDecoder {
  const machine = new ResponsesMachine(options);
  const thoughts = ThinkStage.of(options);
  const take = (): ModelEvent[] => thoughts?.read(machine.take()) ?? machine.take();
  return {
    pushText(frame) {
      if (machine.phase !== 'ended') machine.onData(frame);
      return take();
    },
    end(reason) {
      if (machine.phase !== 'ended') {
        if (reason.type === 'failed') machine.fail(reason.error);
        else machine.onClose();
      }
      return take();
    },
    get phase() {
      return machine.phase;
    },
    get failure() {
      return machine.failure;
    },
    get skipped() {
      return machine.skipped;
    },
    get model() {
      return machine.model;
    },
    get turnState() {
      return machine.turnState;
    },
  };
}

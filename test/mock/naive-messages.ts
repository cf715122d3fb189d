import { believing, fill, keep, newBlock, readEnd, readMessages, type State } from './naive-loop.ts';
import type { MessagesEvent } from './outcome.ts';

/**
 * Loops over the Messages wire as people write them from its documentation, each with one belief that holds on a good
 * server. Every one of them reads a clean answer right: faults.test.ts checks that too.
 */

/** An answer is whole once its body ends. */
export const toTheEnd = believing({
  messages: (event, state) => {
    readMessages(event, state);
    state.done = false;
  },
});

/** An answer without `message_stop` is cut. */
export const wantsMessageStop = believing({
  end: (state) => {
    if (!state.done) throw new Error('the stream ended without message_stop');
  },
});

/** An answer has a reason for its end. */
export const wantsStopReason = believing({
  end: (state) => {
    if (state.finish === undefined) throw new Error('no stop_reason');
  },
});

/** Calls are to be run where the stop_reason says so. */
export const trustsStopReason = believing({
  end: (state) => {
    if (state.finish !== 'tool_use') state.calls = [];
  },
});

/** An error is an error, whenever it comes. */
export const failsAtErrors = believing({
  messages: (event, state) => {
    if (event.type === 'error') throw new Error('failed');
    readMessages(event, state);
  },
});

const known = /^(message_(start|delta|stop)|content_block_(start|delta|stop)|ping|error)$/;

/** Events are those of the documentation. */
export const knownEvents = believing({
  messages: (event, state) => {
    if (!known.test(event.type)) throw new Error(`unknown event ${event.type}`);
    readMessages(event, state);
  },
});

/** Deltas are those of the documentation. */
export const knownDeltas = believing({
  messages: (event, state) => {
    const type = event.type === 'content_block_delta' ? event.delta.type : 'text_delta';
    if (!/^(text|thinking|signature|input_json)_delta$/.test(type)) throw new Error(`unknown delta ${type}`);
    readMessages(event, state);
  },
});

/** The message is there before its blocks are. */
export const beginsAtStart = believing({
  messages: (event, state) => {
    if (event.type === 'message_start') state.finish = 'none yet';
    if (state.finish === undefined) throw new Error(`${event.type} before message_start`);
    readMessages(event, state);
  },
});

/** One block is open at a time: whatever comes belongs to the latest. */
export const latestBlock = believing({ messages: (event, state) => readAt(event, state, state.blocks.length - 1) });

/** Blocks are put into a list as they start, and read by their index. */
export const listOfBlocks = believing({ messages: (event, state) => readAt(event, state, event.index) });

function readAt(event: MessagesEvent, state: State, index: number): void {
  const { type, content_block: block, delta } = event;
  if (type === 'content_block_start') state.blocks.push(newBlock(block));
  if (type === 'content_block_delta') fill(state.blocks[index]!, delta);
  if (type === 'content_block_stop') keep(state.blocks[index]!, state);
  if (type === 'message_delta') readEnd(event, state);
}

/** The blocks of the whole message are read at its end, each at its index. */
export const blocksAtTheEnd = believing({
  messages: (event, state) => {
    if (event.type !== 'content_block_stop') readMessages(event, state);
  },
  end: (state) => {
    for (const block of state.blocks) keep(block, state);
  },
});

/** Thinking that nobody signed is none. */
export const wantsSignature = believing({
  messages: (event, state) => {
    const block = event.type === 'content_block_stop' ? state.blocks[event.index] : undefined;
    if (block?.type === 'thinking' && block.signature === '') return;
    readMessages(event, state);
  },
});

/** Calls are kept by their ids. */
export const byCallId = believing({
  end: (state) => {
    const known = state.calls.filter(({ id }) => id !== undefined);
    state.calls = [...new Map(known.map((call) => [call.id, call])).values()];
  },
});

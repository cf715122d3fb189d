import type { Frame } from '../answer.ts';

/** The frames of several calls, one of each in turn, from the place of the first; `callOf` tells which call a frame belongs to. */
export function alternating(frames: Frame[], callOf: (frame: Frame) => unknown): Frame[] {
  const at = frames.findIndex((frame) => callOf(frame) !== undefined);
  if (at < 0) return frames;
  const queues = [...Map.groupBy(frames, callOf)].flatMap(([call, queue]) => (call === undefined ? [] : [queue]));
  const longest = Math.max(...queues.map(({ length }) => length));
  const mixed = Array.from({ length: longest }, (_, i) => queues.flatMap((queue) => queue.slice(i, i + 1))).flat();
  const rest = frames.slice(at).filter((frame) => callOf(frame) === undefined);
  return [...frames.slice(0, at), ...mixed, ...rest];
}

import { shapesOfServer, type ShapesOf } from '@turnwire/wire/internal/sse/known-shapes';
import { HealMemory } from './heal-memory.ts';

/** What a client learns about its server and keeps. */
export interface ServerMemory {
  readonly heals: HealMemory;
  /** What the events of its answers look like, for the decoders of the next ones. */
  readonly shapes: ShapesOf;
}

/** That of a server of which nothing is known yet. */
export function createServerMemory(): ServerMemory {
  return { heals: new HealMemory(), shapes: shapesOfServer() };
}

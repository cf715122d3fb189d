import type { ToolRun } from '../tool.ts';

/** What is told of one tool's output while it runs; the rest is in the tool's result, as far as that is kept. */
const MAX_TOLD_BYTES = 64 * 1024;

/** Turns chunks of bytes into `tool.output` events: bounded, whole characters, nothing binary. */
export class OutputTeller {
  readonly #run: ToolRun;
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #told = 0;

  constructor(run: ToolRun) {
    this.#run = run;
  }

  tell(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    if (this.#told >= MAX_TOLD_BYTES) return;
    if (chunk.includes(0)) {
      this.#stop(stream, '\n[binary output]\n');
      return;
    }
    const part = chunk.subarray(0, MAX_TOLD_BYTES - this.#told);
    this.#told += part.length;
    const delta = this.#decoders[stream].decode(part, { stream: true });
    if (delta !== '') this.#run.output(stream, delta);
    if (this.#told >= MAX_TOLD_BYTES) this.#stop(stream, '\n[… more output is not shown …]\n');
  }

  #stop(stream: 'stdout' | 'stderr', note: string): void {
    this.#told = MAX_TOLD_BYTES;
    this.#run.output(stream, note);
  }
}

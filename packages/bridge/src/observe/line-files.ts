import { createWriteStream, writeSync, type WriteStream } from 'node:fs';
import { onProcessExit } from '@turnwire/client/internal/platform/process-exit';
import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

/** How long a line waits for others at most, in milliseconds. */
const GATHERED_MS = 50;
/** Characters that wait at most, but for a file system that is slow. */
const GATHERED_LENGTH = 64 * 1024;
/** Characters that wait in all files together, where the file system is that slow: once there are so many, no more do. */
const MAX_WAITING = 64 * 1024 * 1024;

/** A file of lines. */
export interface LineFile {
  /** @param line - without its end */
  write(line: string): void;
  /** Nothing is written behind it. */
  end(): void;
}

/**
 * Files of lines, readable by their owner alone. What a file gets within a short time is one write: to have the system write costs as
 * much as what is written, for each call. A process that ends writes first what waits; one that is killed does not. A file for which no more
 * can wait ends with the line before, and so does one that cannot be written.
 */
export class LineFiles {
  readonly #clock: Clock;
  readonly #onError: (error: Error) => void;
  readonly #waiting = new Waiting({ onWaiting: () => this.#onWaiting(), onExit: (file) => this.#writeNow(file) });
  #timer: Timer | undefined;
  #isClosed = false;

  /** @param onError - told why lines cannot be written; they are lost */
  constructor(clock: Clock, onError: (error: Error) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  open(path: string): LineFile {
    const file = createWriteStream(path, { mode: 0o600, start: 0 }).on('error', this.#onError);
    const onCut = (): void => this.#onError(new Error(`${path} is cut: the file system takes too long`));
    return new GatheringFile(file, this.#waiting, onCut);
  }

  /** Writes what waits; files that are open go on, a write for each line. */
  close(): void {
    this.#isClosed = true;
    this.#flush();
  }

  #writeNow(file: GatheringFile): void {
    try {
      file.writeNow();
    } catch (error) {
      this.#onError(error as Error); // Node's own; the others are still to be written
    }
  }

  #onWaiting(): void {
    if (this.#isClosed) this.#flush();
    else this.#timer ??= this.#clock.after(GATHERED_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const file of this.#waiting.files) file.flush();
  }
}

/** What waits in all files. */
class Waiting {
  readonly #files = new Set<GatheringFile>();
  readonly #onExit: (file: GatheringFile) => void;
  #leaveExit: () => void = () => undefined;
  /** Is called when a file begins to wait. */
  readonly onWaiting: () => void;
  /** That the system has not taken. */
  characters = 0;

  /** `onExit` is called for each file that waits when the process ends. */
  constructor(on: { readonly onWaiting: () => void; readonly onExit: (file: GatheringFile) => void }) {
    this.onWaiting = on.onWaiting;
    this.#onExit = on.onExit;
  }

  get files(): Iterable<GatheringFile> {
    return this.#files;
  }

  add(file: GatheringFile): void {
    if (this.#files.size === 0) this.#leaveExit = onProcessExit(() => this.#files.forEach(this.#onExit));
    this.#files.add(file);
  }

  remove(file: GatheringFile): void {
    this.#files.delete(file);
    if (this.#files.size === 0) this.#leaveExit();
  }
}

class GatheringFile implements LineFile {
  readonly #file: WriteStream;
  readonly #waiting: Waiting;
  readonly #onCut: () => void;
  #fd: number | undefined;
  #gathered = '';
  /** Bytes that the system was given. */
  #written = 0;
  /** It has not taken the last of them yet: the next wait here, where the end of the process finds them. */
  #isWriting = false;
  #isEnded = false;
  /** Lines were lost: what comes behind them is not written. */
  #isCut = false;

  constructor(file: WriteStream, waiting: Waiting, onCut: () => void) {
    this.#file = file.once('open', (fd) => (this.#fd = fd));
    this.#waiting = waiting;
    this.#onCut = onCut;
  }

  write(line: string): void {
    if (this.#isCut || this.#file.destroyed || this.#cuts()) return;
    this.#gathered += `${line}\n`;
    this.#waiting.characters += line.length + 1;
    this.#waiting.add(this);
    if (this.#gathered.length >= GATHERED_LENGTH) this.flush();
    else this.#waiting.onWaiting();
  }

  flush(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const text = this.#take();
    this.#file.write(text, () => this.#onWritten(text));
  }

  end(): void {
    this.#isEnded = true;
    if (!this.#isWriting) this.#finish();
  }

  /** At its place: what was given before may still be on its way. A file that failed is closed, and its number may be another file's. */
  writeNow(): void {
    const at = this.#written;
    if (this.#fd !== undefined && !this.#file.destroyed) writeSync(this.#fd, this.#take(), at);
  }

  #cuts(): boolean {
    this.#isCut = this.#waiting.characters >= MAX_WAITING;
    if (this.#isCut) this.#onCut();
    return this.#isCut;
  }

  /** Taken, or lost with the file. */
  #onWritten(text: string): void {
    this.#isWriting = false;
    this.#waiting.characters -= text.length;
    if (this.#isEnded) this.#finish();
    else if (this.#gathered !== '') this.#waiting.onWaiting();
  }

  #finish(): void {
    const text = this.#take();
    this.#file.end(text, () => (this.#waiting.characters -= text.length));
  }

  #take(): string {
    const text = this.#gathered;
    this.#gathered = '';
    this.#written += Buffer.byteLength(text);
    this.#waiting.remove(this);
    return text;
  }
}

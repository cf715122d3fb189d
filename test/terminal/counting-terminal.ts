import type { Terminal } from '@earendil-works/pi-tui';

const nothing = (): void => undefined;

/** A terminal that draws nothing and only counts the bytes, with keys that can be pressed: for measurements. */
export class CountingTerminal implements Terminal {
  bytes = 0;
  /** Presses a key, once it has started. */
  press: (data: string) => void = nothing;
  readonly columns: number;
  readonly rows: number;
  readonly kittyProtocolActive = false;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  start(onInput: (data: string) => void): void {
    this.press = onInput;
  }

  write(data: string): void {
    this.bytes += Buffer.byteLength(data);
  }

  readonly drainInput = (): Promise<void> => Promise.resolve();
  readonly stop = nothing;
  readonly moveBy = nothing;
  readonly hideCursor = nothing;
  readonly showCursor = nothing;
  readonly clearLine = nothing;
  readonly clearFromCursor = nothing;
  readonly clearScreen = nothing;
  readonly setTitle = nothing;
  readonly setProgress = nothing;
}

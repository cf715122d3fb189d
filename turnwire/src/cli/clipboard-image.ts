import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MAX_IMAGE_BYTES } from '@turnwire/agent/internal/project/image-file';

/** What gives the clipboard's image as PNG: on Wayland, on X11, on macOS. */
const programs: readonly (readonly [program: string, ...args: string[]])[] = [
  ['wl-paste', '--type', 'image/png'],
  ['xclip', '-selection', 'clipboard', '-t', 'image/png', '-o'],
  ['pngpaste', '-'],
];
const TIMEOUT_MS = 3000;

/** Images of the clipboard as files, so that a message can name them; the files go with `close`. */
export class ClipboardImages {
  #folder: string | undefined;
  #count = 0;

  /** Absolute path of a file with the image; `undefined` where the clipboard has none, or no program here gives it. */
  async take(): Promise<string | undefined> {
    for (const [program, ...args] of programs) {
      const image = await outputOf(program, args);
      if (image === undefined || image.length === 0) continue;
      // For this person alone (mkdtemp: mode 0700).
      this.#folder ??= await mkdtemp(join(tmpdir(), 'turnwire-clipboard-'));
      const path = join(this.#folder, `${(this.#count += 1)}.png`);
      await writeFile(path, image, { mode: 0o600 });
      return path;
    }
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

async function outputOf(program: string, args: readonly string[]): Promise<Buffer | undefined> {
  try {
    const options = { encoding: 'buffer', timeout: TIMEOUT_MS, maxBuffer: MAX_IMAGE_BYTES } as const;
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch {
    // Not installed, no image, or too large a one.
    return undefined;
  }
}

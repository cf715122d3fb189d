import { readFile, stat } from 'node:fs/promises';
import type { InputImagePart } from '@turnwire/wire/internal/model/items';

/** Servers refuse larger ones: Anthropic's bound of an image is 5 MB. */
export const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

/** What a file has instead of an image: nothing that is one, or too much of it. */
export type ImageFile =
  | { readonly type: 'image'; readonly part: InputImagePart }
  | { readonly type: 'none' }
  | { readonly type: 'too_large' };

const LATIN = 'latin1';

/** First bytes of the formats that servers take. */
const formats: readonly { readonly mime: string; readonly begin: RegExp }[] = [
  { mime: 'image/png', begin: /^\x89PNG\r\n/ },
  { mime: 'image/jpeg', begin: /^\xff\xd8\xff/ },
  { mime: 'image/gif', begin: /^GIF8[79]a/ },
  { mime: 'image/webp', begin: /^RIFF[^]{4}WEBP/ },
];

/** The image in a file, by its content and not by its name; bounded. Never fails: what cannot be read is none. */
export async function readImageFile(path: string): Promise<ImageFile> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return { type: 'none' };
    if (info.size > MAX_IMAGE_BYTES) return { type: 'too_large' };
    const bytes = await readFile(path);
    const begin = bytes.toString(LATIN, 0, 16);
    const format = formats.find((one) => one.begin.test(begin));
    if (format === undefined) return { type: 'none' };
    const url = `data:${format.mime};base64,${bytes.toString('base64')}`;
    return { type: 'image', part: { type: 'input_image', image_url: url, detail: 'auto' } };
  } catch {
    return { type: 'none' };
  }
}

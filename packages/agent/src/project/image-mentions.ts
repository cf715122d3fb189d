import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputImagePart } from '@turnwire/wire/internal/model/items';
import { readImageFile } from './image-file.ts';

/** The images that a message names. */
export interface MentionedImages {
  readonly parts: readonly InputImagePart[];
  /** Names of those that are too large to be sent. */
  readonly tooLarge: readonly string[];
}

const MAX_IMAGES = 10;
/** As terminals write a file that is dropped on them: bare with escaped blanks, quoted, or a file URL; also behind `@`. */
const NAME = /(?:^|(?<=\s))@?(?:"([^"\n]+)"|'([^'\n]+)'|((?:\\.|[^\s\\"'])+))(?=\s|$)/g;
const IMAGE = /\.(?:png|jpe?g|gif|webp)$/i;

/** The images whose files a text names, at most ten; a name without a file that is one is text and nothing else. */
export async function imagesNamedIn(text: string, cwd: string): Promise<MentionedImages> {
  const names = Array.from(text.matchAll(NAME), ([, double, single, bare = '']) => double ?? single ?? bareName(bare));
  const wanted = [...new Set(names.filter((name) => IMAGE.test(name)))].slice(0, MAX_IMAGES);
  const files = await Promise.all(wanted.map((name) => readImageFile(pathOf(name, cwd))));
  return {
    parts: files.flatMap((file) => (file.type === 'image' ? [file.part] : [])),
    tooLarge: wanted.filter((_, at) => files[at]?.type === 'too_large'),
  };
}

/** Without what a sentence puts behind it. */
function bareName(bare: string): string {
  return bare.replaceAll(/\\(.)/g, '$1').replace(/[.,;:!?)]+$/, '');
}

function pathOf(name: string, cwd: string): string {
  if (!name.startsWith('file://')) return resolve(cwd, name);
  try {
    return fileURLToPath(name);
  } catch {
    return name;
  }
}

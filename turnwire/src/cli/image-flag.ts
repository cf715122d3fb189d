import { resolve } from 'node:path';
import { MAX_IMAGE_BYTES, readImageFile } from '@turnwire/agent/internal/project/image-file';
import type { InputImagePart, InputMessage } from '@turnwire/wire/internal/model/items';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';

/** As many as a message of the chat takes along. */
const MAX_IMAGES = 10;

/**
 * The prompt with the images of `--image` behind it, in their order; ten at most, of 5 MB each.
 *
 * @throws UsageError naming the file that is no image, or too large
 */
export async function withImages(
  prompt: string,
  paths: readonly string[],
  { cwd }: Pick<CliContext, 'cwd'>,
): Promise<InputMessage> {
  if (paths.length > MAX_IMAGES)
    throw new UsageError(`--image: ${paths.length} images; at most ${MAX_IMAGES} are sent`);
  const images = await Promise.all(paths.map((path) => readImage(path, cwd)));
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }, ...images] };
}

async function readImage(path: string, cwd: string): Promise<InputImagePart> {
  const image = await readImageFile(resolve(cwd, path));
  switch (image.type) {
    case 'image':
      return image.part;
    case 'too_large':
      throw new UsageError(`--image: ${path} is larger than ${MAX_IMAGE_BYTES / (1024 * 1024)} MB`);
    case 'none':
      throw new UsageError(`--image: ${path} cannot be read as a PNG, JPEG, GIF or WebP image`);
  }
}

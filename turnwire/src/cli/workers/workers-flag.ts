import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';

/** Nobody has so many cores for one bridge. */
const MOST = 256;

/** `--workers`. */
export function workersFlag(): Option {
  return new Option('--workers <n>', 'processes that serve, of one port; auto: as many as there are cores')
    .default(1)
    .argParser((text: string) => {
      const number = text === 'auto' ? availableParallelism() : Number(text);
      if (Number.isSafeInteger(number) && text.trim() !== '' && number >= 1 && number <= MOST) return number;
      throw new InvalidArgumentError(`A whole number from 1 to ${MOST} is wanted, or auto.`);
    });
}

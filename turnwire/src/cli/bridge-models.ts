import type { BridgeOptions, ModelFacts } from '@turnwire/bridge';
import { isObject } from '@turnwire/wire/internal/base/json';
import {
  checkKeys,
  ConfigError,
  optional,
  requireBoolean,
  requireStringList,
  requireTable,
  requireText,
  wholeNumber,
} from '@turnwire/client/internal/provider/config-fields';
import { withUsageErrors, type ConfigFile } from './config-file.ts';
import { UsageError } from './exit.ts';

type ModelOptions = Required<Pick<BridgeOptions, 'modelMap' | 'modelFacts'>>;

const factKeys = ['context_window', 'images', 'reasoning_levels'] as const;

/**
 * What flags and the person's own file say about models; a flag's row goes before the file's.
 *
 * @param flags - `PATTERN=NAME` each
 * @throws UsageError for one that cannot be read
 */
export function modelOptionsOf(flags: readonly string[], file: ConfigFile | undefined): ModelOptions {
  const { modelMap, modelFacts } = file === undefined ? { modelMap: [], modelFacts: {} } : modelsIn(file);
  return { modelMap: [...flags.map(parseRow), ...modelMap], modelFacts };
}

function parseRow(text: string): ModelOptions['modelMap'][number] {
  const at = text.indexOf('=');
  const [pattern, model] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 0 || pattern === '' || model === '') {
    throw new UsageError(`--model-map wants PATTERN=NAME, e.g. 'gpt-5*=qwen3', and not ${JSON.stringify(text)}`);
  }
  return { pattern, model };
}

/** `[models]` of a file: a text is the name that a pattern stands for, a table what is known of a model. */
function modelsIn({ path, toml }: ConfigFile): ModelOptions {
  return withUsageErrors(() => {
    const entries = Object.entries(requireTable(toml.models ?? {}, `${path}: models`));
    const where = (name: string): string => `${path}: models.${name}`;
    return {
      modelMap: entries
        .filter(([, value]) => !isObject(value))
        .map(([pattern, model]) => ({ pattern, model: requireText(model, where(pattern)) })),
      modelFacts: Object.fromEntries(
        entries.filter(([, value]) => isObject(value)).map(([name, value]) => [name, parseFacts(value, where(name))]),
      ),
    };
  });
}

function parseFacts(value: unknown, where: string): ModelFacts {
  const table = requireTable(value, where);
  checkKeys(`${where}:`, table, factKeys);
  const contextWindow = optional(wholeNumber({ min: 1 }))(table.context_window, `${where}.context_window`);
  const images = optional(requireBoolean)(table.images, `${where}.images`);
  const reasoningLevels = optional(requireStringList)(table.reasoning_levels, `${where}.reasoning_levels`);
  if (Object.keys(table).length === 0) throw new ConfigError(`${where} is empty: it wants ${factKeys.join(', ')}`);
  return {
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(images === undefined ? {} : { images }),
    ...(reasoningLevels === undefined ? {} : { reasoningLevels }),
  };
}

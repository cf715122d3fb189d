import { join } from 'node:path';
import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import { readConfigFile, type ConfigFile } from './config-file.ts';
import { UsageError } from './exit.ts';

/**
 * Codex' own configuration with a profile over it. A profile is the file `NAME.config.toml` beside `config.toml`, as Codex
 * has it now, or the table `[profiles.NAME]` of older ones, which also choose it with `profile = "NAME"`.
 *
 * @param folder - `CODEX_HOME`
 * @param named - the profile; undefined: the one that the file chooses, if it does
 * @throws UsageError for a file or profile that is not there or cannot be read
 */
export async function readCodexFile(folder: string, named: string | undefined): Promise<ConfigFile> {
  const path = join(folder, 'config.toml');
  const file = await readConfigFile(path, { dialect: 'codex' });
  if (file === undefined) throw new UsageError(`cannot read ${path}: no such file`);
  const profile = named ?? nonEmpty(file.toml.profile);
  if (profile === undefined) return file;
  const over = await profileIn(folder, profile, file);
  return { ...file, toml: layered(file.toml, over) };
}

async function profileIn(folder: string, name: string, file: ConfigFile): Promise<JsonObject> {
  if (!/^[\w-]+$/.test(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a profile of Codex`);
  const path = join(folder, `${name}.config.toml`);
  const layer = await readConfigFile(path, { dialect: 'codex' });
  if (layer !== undefined) return layer.toml;
  const tables = file.toml.profiles;
  const table = isObject(tables) && Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (isObject(table)) return table;
  throw new UsageError(
    `Codex has no profile ${JSON.stringify(name)}: neither ${path} nor [profiles.${name}] in ${file.path}`,
  );
}

/** Tables are put together key by key; of anything else the upper one counts. */
function layered(below: JsonObject, over: JsonObject): JsonObject {
  const merged = Object.entries(over).map(([key, value]) => {
    const under = below[key];
    return [key, isObject(value) && isObject(under) ? layered(under, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(merged) };
}

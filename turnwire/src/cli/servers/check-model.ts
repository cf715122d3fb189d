import { findByName, indexByName, matches } from '@turnwire/bridge/internal/upstream/model-names';
import { nearest } from '@turnwire/wire/internal/base/nearest';
import { visible } from '@turnwire/wire/internal/base/printable';
import { UsageError } from '../exit.ts';
import type { ListedModel } from './ask-models.ts';

/** A server with the models that it told of; none where it has no list, or could not be asked. */
export interface ServerModels {
  /** What messages call it. */
  readonly label: string;
  readonly models: readonly ListedModel[];
  /** The names that its configuration gives it; then no others are sent there. */
  readonly patterns?: readonly string[] | undefined;
  /** It has a web page where the list should be. */
  readonly isPage?: boolean;
  /** Why it could not be asked. */
  readonly failure?: Error;
}

/** So many names a message tells. */
const TOLD = 20;

/**
 * Says at once what clients hide: that no server has the model. Of several servers with different lists it is the bridge that would
 * refuse each request; one alone, or one of several with the same list, may still answer to another name.
 *
 * @throws UsageError where no request could succeed
 */
export function checkModel(model: string, servers: readonly ServerModels[], note: (text: string) => void): void {
  if (servers.some((server) => has(server, model))) return;
  const names = [...new Set(servers.flatMap(namesOf))];
  if (names.length === 0) return;
  const near = nearest(model, names);
  const meant = near === undefined ? '' : ` (did you mean ${visible(near)}?)`;
  const there = `${meant}; there are: ${listed(names)}`;
  if (isRefused(servers)) throw new UsageError(`no server has the model ${JSON.stringify(model)}${there}`);
  note(`no server tells of a model ${JSON.stringify(model)}${there}`);
}

function has({ models, patterns }: ServerModels, model: string): boolean {
  if (patterns !== undefined) return patterns.some((pattern) => matches(pattern, model));
  return findByName(indexByName(models), model) !== undefined;
}

/** As the bridge decides (docs/decisions/0020-models.md). */
function isRefused(servers: readonly ServerModels[]): boolean {
  const lists = servers.map((server) => namesOf(server).toSorted().join('\n'));
  return servers.length > 1 && !lists.includes('') && new Set(lists).size > 1;
}

const namesOf = ({ models, patterns }: ServerModels): readonly string[] => patterns ?? models.map(({ id }) => id);

function listed(names: readonly string[]): string {
  const more = names.length > TOLD ? ` and ${names.length - TOLD} more` : '';
  return `${names.slice(0, TOLD).map(visible).join(', ')}${more}`;
}

import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { isCompleteArguments } from '@turnwire/wire/internal/arguments';
import { objectsIn } from './check-framing.ts';
import type { ChatFacts } from './chat-facts.ts';
import { when, type Finding } from './finding.ts';

/** The tool-call fragments of a chunk. */
export function fragmentsOf(json: JsonObject | undefined): readonly JsonObject[] {
  return objectsIn(json?.choices).flatMap((choice) => {
    if (isObject(choice.delta)) return inChoice(choice, objectsIn(choice.delta.tool_calls));
    // Calls of a whole message need no index.
    const calls = isObject(choice.message) ? objectsIn(choice.message.tool_calls) : [];
    return inChoice(
      choice,
      calls.map((call, index) => ({ index, ...call })),
    );
  });
}

/** Each choice counts its calls from 0. */
function inChoice(choice: JsonObject, calls: readonly JsonObject[]): readonly JsonObject[] {
  const base = Number(choice.index ?? 0) * 1000;
  return base === 0
    ? calls
    : calls.map((call) => (typeof call.index === 'number' ? { ...call, index: base + call.index } : call));
}

/** A call as it can be put together, ids first. */
interface Call {
  readonly fragments: JsonObject[];
  readonly places: number[];
}

/** What is unusual about the calls of a chat stream. */
export function checkTools({ events, finish, reasons }: ChatFacts): readonly Finding[] {
  const fragments = events.flatMap(({ json }) => fragmentsOf(json));
  if (fragments.length === 0) return [];
  const calls = collect(fragments);
  const cut = finish < 0 || reasons.includes('length');
  return [
    ...checkIndexes(fragments),
    ...checkIds(calls),
    ...when(
      fragments.some((one) => isObject(functionOf(one).arguments)),
      'tool-args-object',
      'arguments are an object',
    ),
    ...when(calls.some(emptyLater), 'tool-name-empty', 'a later fragment has the name ""'),
    ...when(
      calls.some(({ fragments: all }) => all.length === 1 && hasArguments(all[0])),
      'tool-whole',
      'a call in one fragment',
    ),
    ...when(calls.some(isInterleaved), 'tool-interleaved', 'fragments of two calls alternate'),
    ...when(!cut && calls.some((call) => !isWhole(call)), 'tool-args-invalid', 'arguments that are no JSON'),
  ];
}

function checkIndexes(fragments: readonly JsonObject[]): readonly Finding[] {
  const idOf = new Map<unknown, string>();
  let reused = false;
  for (const fragment of fragments) {
    const { index, id } = fragment;
    if (typeof id !== 'string' || id === '' || index === undefined || functionOf(fragment).name === undefined) continue;
    reused ||= idOf.has(index) && idOf.get(index) !== id;
    idOf.set(index, id);
  }
  return [
    ...when(
      fragments.some(({ index }) => typeof index !== 'number'),
      'tool-index-missing',
      'fragments without an index',
    ),
    ...when(reused, 'tool-index-reused', 'one index, two ids'),
  ];
}

function checkIds(calls: readonly Call[]): readonly Finding[] {
  const ids = calls.map(({ fragments }) => fragments.map(({ id }) => typeof id === 'string' && id !== ''));
  return [
    ...when(
      ids.some((has) => !has.includes(true)),
      'tool-id-missing',
      'a call without any id',
    ),
    ...when(
      ids.some((has) => has[0] !== true && has.includes(true)),
      'tool-id-late',
      'the id comes after the first fragment',
    ),
    ...when(
      ids.some((has) => has.filter(Boolean).length > 1),
      'tool-id-repeated',
      'the id comes with several fragments',
    ),
  ];
}

/** Fragments by id, else by index, else to the last call. */
function collect(fragments: readonly JsonObject[]): Call[] {
  const calls: Call[] = [];
  const byId = new Map<string, Call>();
  const byIndex = new Map<unknown, Call>();
  for (const [place, fragment] of fragments.entries()) {
    const id = stringOf(fragment.id) ?? '';
    let call =
      id === ''
        ? (byIndex.get(fragment.index) ?? (fragment.index === undefined ? calls.at(-1) : undefined))
        : byId.get(id);
    const anonymous = byIndex.get(fragment.index);
    if (call === undefined && id !== '' && anonymous !== undefined && !hasId(anonymous)) call = anonymous;
    if (call === undefined) calls.push((call = { fragments: [], places: [] }));
    call.fragments.push(fragment);
    call.places.push(place);
    if (id !== '') byId.set(id, call);
    if (fragment.index !== undefined) byIndex.set(fragment.index, call);
  }
  return calls;
}

function hasId({ fragments }: Call): boolean {
  return fragments.some(({ id }) => typeof id === 'string' && id !== '');
}

function emptyLater({ fragments }: Call): boolean {
  return fragments.slice(1).some((fragment) => functionOf(fragment).name === '');
}

function isInterleaved({ places }: Call): boolean {
  return places.some((place, i) => i > 0 && place !== (places[i - 1] ?? 0) + 1);
}

function isWhole({ fragments }: Call): boolean {
  const parts = fragments.map((fragment) => functionOf(fragment).arguments);
  return parts.some(isObject) || isCompleteArguments(parts.map((part) => stringOf(part) ?? '').join(''));
}

function hasArguments(fragment: JsonObject | undefined): boolean {
  const args = fragment === undefined ? undefined : functionOf(fragment).arguments;
  return isObject(args) || (typeof args === 'string' && args.length > 2);
}

function functionOf(fragment: JsonObject): JsonObject {
  return isObject(fragment.function) ? fragment.function : {};
}

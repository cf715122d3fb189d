import type { Fetch } from '../fetch/fetch.ts';
import type { Loaded, Loader } from './host-process.ts';

const ENTRY = '/node_modules/undici/index.js';
const KEY = 'turnwire.fetch';
const ADDED = `;module.exports.fetch = globalThis[Symbol.for('${KEY}')](module.exports.fetch);`;

/** The package `undici` has a `fetch` of its own, which apps import: that one is wrapped, too, when it is loaded. */
export function wrapUndici(loader: Loader, wrap: (below: Fetch) => Fetch): void {
  Object.assign(globalThis, { [Symbol.for(KEY)]: wrap });
  loader.registerHooks?.({
    load(url, context, next) {
      const loaded = next(url, context);
      return url.endsWith(ENTRY) ? { ...loaded, ...withAddition(loaded) } : loaded;
    },
  });
}

function withAddition({ source }: Loaded): Loaded {
  if (source === undefined || source === null) return {};
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  return { source: `${text}\n${ADDED}` };
}

/** Longest function name that chat servers accept. */
const MAX_NAME = 64;
const ILLEGAL = /[^A-Za-z0-9_-]/g;
const HASH_LENGTH = 8;

/** Hands out function names that every chat server accepts, none of them twice. */
export interface NameAllocator {
  /** Takes a name as it is. False when it is illegal or taken. */
  reserve(name: string): boolean;
  /**
   * A free, legal name for `wanted`: the same one for the same `wanted` and `identity` as long as the names
   * taken before are the same. Only where it is not `wanted` itself does it end in a hash of the identity.
   */
  assign(wanted: string, identity: string): string;
}

export function createNameAllocator(): NameAllocator {
  const taken = new Set<string>();
  const reserve = (name: string): boolean => {
    if (!isLegalName(name) || taken.has(name)) return false;
    taken.add(name);
    return true;
  };
  return {
    reserve,
    assign: (wanted, identity) => {
      if (reserve(wanted)) return wanted;
      const stem = wanted.replace(ILLEGAL, '_').slice(0, MAX_NAME - HASH_LENGTH - 1);
      for (let round = 0; ; round++) {
        const name = `${stem}_${hash(round === 0 ? identity : `${identity}#${round}`)}`;
        if (reserve(name)) return name;
      }
    },
  };
}

/** True for what the chat wire's servers take as a function's name. */
function isLegalName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME && name.search(ILLEGAL) === -1;
}

/** FNV-1a over UTF-16 code units, as eight hexadecimal digits: short, stable, and good enough to keep names apart. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value.toString(16).padStart(HASH_LENGTH, '0');
}

import ts from 'typescript';
import { describe, expect, it, vi } from 'vitest';
import { findExamples, readApi, type PublicName } from './public-api.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** What examples may take for granted, as a reader would. */
const standIns = {
  approver: "import('@turnwire/agent').Approver",
  body: 'AsyncIterable<Uint8Array>',
  client: "import('@turnwire/client').ModelClient",
  cwd: 'string',
  events: "readonly import('@turnwire/client').ModelEvent[]",
  getEnv: "import('@turnwire/client').GetEnv",
  input: "readonly import('@turnwire/client').Item[]",
  model: "import('@turnwire/agent').ModelPort",
  provider: "import('@turnwire/client').ProviderConfig",
  request: "{ tools: unknown[]; input: import('@turnwire/client').Item[]; tool_choice: unknown }",
  runMyClient: '(baseUrl: string) => Promise<void>',
  show: '(event: unknown) => void',
  socket: '{ write(text: string): void }',
  threads: "import('@turnwire/agent').ThreadStore",
};

const api = readApi(standIns);

describe('every @example', () => {
  it('compiles, with the imports that a reader would write', () => {
    expect(findExamples().length).toBeGreaterThan(15);
    expect(api.complaints).toEqual([]);
  });
});

/** The names once each, though several entries may have them. */
const names = [...new Map(api.names.map((each) => [declared(each.symbol), each])).values()];

function declared(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? api.checker.getAliasedSymbol(symbol) : symbol;
}

function docOf(symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(api.checker)).trim();
}

function place({ name, entry }: PublicName, member = ''): string {
  return `${entry}: ${name}${member === '' ? '' : `.${member}`}`;
}

describe('every public name', () => {
  it('is more than a hundred', () => {
    expect(names.length).toBeGreaterThan(200);
  });

  it('says what it is', () => {
    expect(names.filter(({ symbol }) => docOf(declared(symbol)) === '').map((each) => place(each))).toEqual([]);
  });
});

/** What a caller fills in, or a file of configuration. */
const OPTIONS = /(?:Options|Config|Limits|Timers|Policy|Level|Budgets|Selection|ToolDefinition|Input|Quirks)$/;

interface Member {
  readonly place: string;
  readonly name: string;
  readonly doc: string;
  readonly optional: boolean;
  readonly isNumber: boolean;
}

function membersOf(each: PublicName): readonly Member[] {
  const symbol = declared(each.symbol);
  if (!OPTIONS.test(each.name) || !(symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias))) return [];
  const type = api.checker.getDeclaredTypeOfSymbol(symbol);
  const parts = (type.isUnion() ? type.types : [type]).filter(({ flags }) => flags & ts.TypeFlags.Object);
  return parts.flatMap((part) =>
    part.getProperties().map((member) => {
      const memberType = api.checker.getNonNullableType(api.checker.getTypeOfSymbol(member));
      return {
        place: place(each, member.name),
        name: member.name,
        doc: docOf(member),
        optional: Boolean(member.flags & ts.SymbolFlags.Optional),
        isNumber: Boolean(memberType.flags & ts.TypeFlags.NumberLike),
      };
    }),
  );
}

const members = names.flatMap(membersOf);
const UNIT =
  /\b(?:ms|milliseconds?|seconds?|bytes?|characters?|tokens?|times|how many|number of|as a share|a number from|port|UTF-16)\b|(?:Ms|Bytes|Tokens)\b/i;

describe('every member of public options', () => {
  it('says what it is', () => {
    expect(members.length).toBeGreaterThan(100);
    expect(members.filter(({ doc }) => doc === '').map(({ place }) => place)).toEqual([]);
  });

  it('says what holds without it, when it may be left out', () => {
    const silent = members.filter(({ optional, doc }) => optional && !/\b(?:default|without|absent)/i.test(doc));
    expect(silent.map(({ place, doc }) => `${place}: ${doc}`)).toEqual([]);
  });

  it('says its unit, when it is a number', () => {
    const silent = members.filter(({ isNumber, name, doc }) => isNumber && !UNIT.test(`${name} ${doc}`));
    expect(silent.map(({ place, doc }) => `${place}: ${doc}`)).toEqual([]);
  });
});

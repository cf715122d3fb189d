import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { packages, publicEntries, sourceFiles, sourceOf } from '../../scripts/packages.ts';
import { root } from './examples.ts';

/** Code of an `@example`, and where it stands. */
export interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** Every `@example` in the source. Each has to be one block of TypeScript. */
export function findExamples(): readonly Example[] {
  return sourceFiles().flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/^( *)\* @example[^\n]*\n(.*?)^ *\*\//gms)].map(({ index, 2: body = '' }) => ({
      file,
      line: text.slice(0, index).split('\n').length,
      code: codeIn(body),
    }));
  });
}

function codeIn(body: string): string {
  const lines = body.split('\n').map((line) => line.replace(/^ *\* ?/, ''));
  const begin = lines.findIndex((line) => line.startsWith('```ts'));
  const end = lines.findIndex((line, at) => at > begin && line.startsWith('```'));
  if (begin < 0 || end < 0) throw new Error(`an @example without a block of ts: ${body}`);
  return lines.slice(begin + 1, end).join('\n');
}

/** A name that anybody can import. */
export interface PublicName {
  readonly name: string;
  /** As users import it: `turnwire/wire`. */
  readonly entry: string;
  readonly symbol: ts.Symbol;
}

/** One TypeScript program of all entries and all examples. */
export interface Api {
  readonly checker: ts.TypeChecker;
  readonly names: readonly PublicName[];
  /** What the compiler says against the examples: `packages/wire/src/a.ts:12: …`. */
  readonly complaints: readonly string[];
}

/**
 * @param standIns - names that examples may use without saying where they come from, each with its type
 */
export function readApi(standIns: Readonly<Record<string, string>>): Api {
  const options = compilerOptions();
  const entries = packages.flatMap((each) =>
    publicEntries(each).map((entry) => ({
      name: join(each.manifest.name, entry),
      file: join(root, sourceOf(each, entry)),
    })),
  );
  const first = ts.createProgram(
    entries.map(({ file }) => file),
    options,
  );
  const names = entries.flatMap(({ name, file }) =>
    exportsOf(first, file).map((symbol) => ({ name: symbol.name, entry: name, symbol })),
  );
  const examples = findExamples();
  const virtual = new Map(
    examples.map((example, n) => {
      const path = join(root, dirname(example.file), `example-${n}.ts`);
      return [path, { example, text: withImports(example, names, standIns) }] as const;
    }),
  );
  const program = ts.createProgram([...virtual.keys()], options, hostWith(options, virtual), first);
  const complaints = [...virtual].flatMap(([path, { example, text }]) => {
    const source = program.getSourceFile(path);
    const head = text.length - example.code.length;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = example.line + 2 + text.slice(head, Math.max(head, start)).split('\n').length - 1;
        return `${example.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
  return { checker: first.getTypeChecker(), names, complaints };
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  return { ...options, noUnusedLocals: false, noUnusedParameters: false, types: ['node'] };
}

function exportsOf(program: ts.Program, file: string): readonly ts.Symbol[] {
  const source = program.getSourceFile(file);
  const module = source && program.getTypeChecker().getSymbolAtLocation(source);
  return module === undefined ? [] : program.getTypeChecker().getExportsOfModule(module);
}

/** The example behind imports of the public names that it uses, and of what its own file exports. */
function withImports(
  { file, code }: Example,
  names: readonly PublicName[],
  standIns: Readonly<Record<string, string>>,
): string {
  const own = new Set(
    [...readFileSync(join(root, file), 'utf8').matchAll(/^export (?:async )?(?:const|class|function) (\w+)/gm)].map(
      ([, name = '']) => name,
    ),
  );
  const declared = new Set(
    [...code.matchAll(/\b(?:import|const|let|function|class)\s+(?:\{([^}]*)\}|(\w+))/g)].flatMap(
      ([, list = '', name = '']) => [name, ...list.split(/\W+/)],
    ),
  );
  const used = new Set([...code.matchAll(/(?<![.\w'])[A-Za-z_]\w*/g)].map(([word]) => word));
  const lines = [...used].flatMap((word) => {
    if (declared.has(word)) return [];
    if (own.has(word)) return [`import { ${word} } from './${file.split('/').at(-1) ?? ''}';`];
    const found = names.find(({ name }) => name === word);
    if (found !== undefined) return [`import { ${word} } from '${found.entry}';`];
    return Object.hasOwn(standIns, word) ? [`declare const ${word}: ${standIns[word] ?? ''};`] : [];
  });
  return `${lines.join('\n')}\nexport {};\n${code}`;
}

function hostWith(
  options: ts.CompilerOptions,
  virtual: ReadonlyMap<string, { readonly text: string }>,
): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    fileExists: (path) => virtual.has(path) || host.fileExists(path),
    readFile: (path) => virtual.get(path)?.text ?? host.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const text = virtual.get(path)?.text;
      if (text === undefined) return host.getSourceFile(path, version, ...rest);
      return ts.createSourceFile(path, text, version, true);
    },
  };
}

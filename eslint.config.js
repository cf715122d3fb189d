import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Which folder may import which: docs/architecture.md has the same table in words, and
 * `.dependency-cruiser.cjs` enforces it. Here stands the purity of the lower floors.
 */
const impureGlobals = [
  'Date',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'fetch',
  'Buffer',
  'console',
  'crypto',
].map((name) => ({ name, message: 'base, model and wire are pure: bytes and values in, values out.' }));

const readsEnvironment = [
  {
    selector: "MemberExpression[object.name='process'][property.name=/^(env|argv)$/]",
    message: 'Only turnwire/src/cli reads the environment and argv.',
  },
];

/** A comparison falls into its `else` for a wire that comes later; a table with a row for each does not compile. */
const comparesWires = ['BinaryExpression[operator=/^[!=]==?$/] > Literal', 'SwitchCase > Literal'].map((literal) => ({
  selector: `${literal}[value=/^(chat|responses)$/]`,
  message: 'A wire is a value: ask `protocols`, or a `Record<ProtocolId, …>`.',
}));

export default tseslint.config(
  { ignores: ['**/dist/', 'coverage/', '**/node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Brackets mark a field of the wire that nobody has checked yet.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['packages/wire/src/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Random comes in through a port.' },
      ],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'No I/O on the lower floors.' }] }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'turnwire/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { name: 'node:http', allowTypeImports: true, message: 'Costs 13 MiB: take it from platform/node-http.ts.' },
      ],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'turnwire/src/**/*.ts'],
    ignores: ['turnwire/src/cli/**', 'packages/wire/**'],
    rules: { 'no-restricted-syntax': ['error', ...readsEnvironment, ...comparesWires] },
  },
  { files: ['packages/wire/src/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...readsEnvironment] } },
  { files: ['turnwire/src/cli/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...comparesWires] } },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', '*.config.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-exports': 'off',
      'max-lines': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', module: 'writable', URL: 'readonly' } },
  },
);

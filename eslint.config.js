import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { sameBranches } from './scripts/same-branches.ts';

/**
 * Which folder may import which: docs/architecture.md has the same table in words, and
 * `.dependency-cruiser.cjs` enforces it. Here stands the purity of the lower layers.
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

/**
 * Rule 5 of the stream contract in docs/architecture.md: timers, the time of day, random numbers and ids come from
 * the platform, so that tests own them and each has one home.
 */
const PLATFORM = 'packages/client/src/platform/**';
/** The same for what runs anywhere: the clock and chance of the web's standards. */
const RUNTIME = 'packages/wire/src/runtime/**';
const fromPlatform = 'Take time from a `Clock` or platform/wall-time.ts, chance and ids from platform/random.ts.';
const timers = ['setTimeout', 'setInterval', 'setImmediate'];
const timeAndChance = {
  'no-restricted-globals': ['error', ...[...timers, 'performance'].map((name) => ({ name, message: fromPlatform }))],
  'no-restricted-properties': [
    'error',
    ...[
      ['Date', 'now'],
      ['Math', 'random'],
      ['crypto', 'randomUUID'],
      ['crypto', 'getRandomValues'],
      ['process', 'hrtime'],
      ...[...timers, 'performance', 'crypto'].map((name) => ['globalThis', name]),
    ].map(([object, property]) => ({ object, property, message: fromPlatform })),
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({ name, message: fromPlatform })),
        {
          name: 'node:crypto',
          importNames: ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'webcrypto'],
          message: fromPlatform,
        },
      ],
    },
  ],
};

const readsToday = [{ selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: fromPlatform }];

/** A comparison falls into its `else` for a wire that comes later; a table with a row for each does not compile. */
const comparesWires = ['BinaryExpression[operator=/^[!=]==?$/] > Literal', 'SwitchCase > Literal'].map((literal) => ({
  selector: `${literal}[value=/^(chat|responses|messages)$/]`,
  message: 'A wire is a value: ask `protocols`, or a `Record<ProtocolId, …>`.',
}));

export default tseslint.config(
  { ignores: ['**/dist/', 'coverage/', '**/node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { turnwire: { rules: { 'same-branches': sameBranches } } },
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
      'turnwire/same-branches': 'error',
    },
  },
  { files: ['packages/*/src/**/*.ts', 'turnwire/src/**/*.ts'], ignores: [PLATFORM, RUNTIME], rules: timeAndChance },
  {
    files: ['packages/inspector/page/**'],
    ignores: ['packages/inspector/page/clock.ts'],
    rules: { ...timeAndChance, 'no-restricted-syntax': ['error', ...comparesWires, ...readsToday] },
  },
  {
    files: ['packages/wire/src/**/*.ts'],
    ignores: [RUNTIME],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Random comes in through a port.' },
      ],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'No I/O in the lower layers.' }] }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'turnwire/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { name: 'node:http', allowTypeImports: true, message: 'Costs 13 MiB: take it from platform/node-http.ts.' },
        { name: '@earendil-works/pi-tui', allowTypeImports: true, message: 'Reads all of it: terminal/pi-tui.ts.' },
      ],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'turnwire/src/**/*.ts'],
    ignores: ['turnwire/src/cli/**', 'packages/wire/**', PLATFORM],
    rules: { 'no-restricted-syntax': ['error', ...readsEnvironment, ...comparesWires, ...readsToday] },
  },
  { files: [PLATFORM], rules: { 'no-restricted-syntax': ['error', ...readsEnvironment, ...comparesWires] } },
  { files: ['packages/wire/src/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...readsEnvironment] } },
  {
    files: ['turnwire/src/cli/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...comparesWires, ...readsToday] },
  },
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
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        fetch: 'readonly',
        TextEncoder: 'readonly',
      },
    },
  },
  {
    files: ['e2e/inspector/**/*.mjs', 'e2e/resume/**/*.mjs', 'examples/**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['AbortController', 'document', 'performance', 'requestAnimationFrame', 'setInterval', 'clearInterval'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
);

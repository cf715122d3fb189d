/**
 * The import table of docs/architecture.md. A layer is a folder; a package holds one or more. Anything of the workspace that
 * is not in a layer's list is forbidden to it: an arrow points only down.
 */
const folders = {
  base: 'packages/wire/src/base',
  dialects: 'packages/wire/src/dialects',
  model: 'packages/wire/src/model',
  wire: 'packages/wire/src',
  runtime: 'packages/wire/src/runtime',
  read: 'packages/wire/src/read',
  fetch: 'packages/wire/src/fetch',
  register: 'packages/wire/src/register',
  platform: 'packages/client/src/platform',
  transport: 'packages/client/src/transport',
  client: 'packages/client/src',
  testing: 'packages/testing/src',
  agent: 'packages/agent/src',
  bridge: 'packages/bridge/src',
  page: 'packages/inspector/page',
  inspector: 'packages/inspector/src',
  doctor: 'turnwire/src/doctor',
  terminal: 'turnwire/src/terminal',
  acp: 'turnwire/src/acp',
  cli: 'turnwire/src/cli',
};

const mayImport = {
  base: [],
  dialects: ['base'],
  model: ['dialects', 'base'],
  wire: ['model', 'dialects', 'base'],
  runtime: ['base'],
  read: ['wire', 'runtime', 'model', 'base'],
  fetch: ['read', 'wire', 'runtime', 'model', 'dialects', 'base'],
  register: ['fetch', 'read', 'wire', 'runtime', 'model', 'base'],
  platform: ['runtime', 'base'],
  transport: ['platform', 'base', 'model/errors', 'model/timer-failure'],
  client: ['read', 'wire', 'transport', 'platform', 'model', 'dialects', 'base'],
  testing: ['wire', 'platform', 'model', 'dialects', 'base'],
  agent: ['client', 'platform', 'model', 'base'],
  bridge: ['client', 'transport', 'read', 'wire', 'platform', 'model', 'base'],
  page: ['bridge', 'wire', 'model', 'base'],
  inspector: [],
  doctor: ['client', 'testing', 'wire', 'platform', 'model', 'dialects', 'base'],
  terminal: ['agent', 'platform', 'model', 'base'],
  acp: ['agent', 'platform', 'model', 'base'],
};

/** The files of a layer: those of its folder, without the layers that lie inside of it. `model/errors` names one file. */
function filesOf(layer) {
  const [name, file] = layer.split('/');
  const folder = folders[name];
  const inner = Object.values(folders).filter((other) => other.startsWith(`${folder}/`));
  const out = inner.map((path) => `${path.slice(folder.length + 1)}/`).join('|');
  return `^${folder}/${file === undefined ? (out === '' ? '' : `(?!${out})`) : `${file}\\.ts$`}`;
}

const layerRules = Object.entries(mayImport).map(([layer, allowed]) => ({
  name: `${layer}-imports`,
  comment: `${folders[layer]} may import only: ${[layer, ...allowed].join(', ')}`,
  severity: 'error',
  // The entry of `@turnwire/wire` stands above its layers.
  from: { path: filesOf(layer), pathNot: `^${folders.wire}/index\\.ts$` },
  to: { path: '^(packages|turnwire)/', pathNot: [layer, ...allowed].map(filesOf) },
}));

/** Where the bridge is. */
const BRIDGE = folders.bridge;

/**
 * The rooms of the bridge, and what each may see of the others: an arrow points only down. `bridge.ts` puts them together;
 * `options.ts` is what all of them are told.
 */
const roomsOfBridge = {
  store: [],
  observe: [],
  inspect: ['observe', 'reply'],
  reply: ['observe', 'store'],
  upstream: ['observe'],
  workers: ['upstream', 'inspect', 'observe', 'store'],
  request: ['upstream', 'reply', 'store'],
  'exchange/stages': [],
  exchange: ['workers', 'request', 'upstream', 'reply', 'inspect', 'observe', 'store'],
  front: ['exchange', 'workers', 'request', 'upstream', 'reply', 'inspect', 'observe', 'store'],
};

const roomRules = Object.entries(roomsOfBridge).map(([room, allowed]) => ({
  name: `bridge-${room.replace('/', '-')}-imports`,
  comment: `${BRIDGE}/${room} may import of the bridge only: ${[room, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^${BRIDGE}/${room}/`, pathNot: room === 'exchange' ? `^${BRIDGE}/exchange/stages/` : undefined },
  to: {
    path: `^${BRIDGE}/`,
    pathNot: [`^${BRIDGE}/options\\.ts$`, ...[room, ...allowed].map((name) => `^${BRIDGE}/${name}/`)],
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...roomRules,
    {
      name: 'bridge-rooms-have-rules',
      comment:
        'a new room of the bridge needs its row in roomsOfBridge; outside of the rooms are only these four files',
      severity: 'error',
      from: {
        path: `^${BRIDGE}/`,
        pathNot: [
          `^${BRIDGE}/(index|bridge|options|warm-up)\\.ts$`,
          ...Object.keys(roomsOfBridge).map((room) => `^${BRIDGE}/${room}/`),
        ],
      },
      to: {},
    },
    {
      name: 'bridge-options-imports',
      severity: 'error',
      from: { path: `^${BRIDGE}/options\\.ts$` },
      to: { path: `^${BRIDGE}/`, pathNot: `^${BRIDGE}/(store|inspect)/` },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { pathNot: filesOf('cli') },
      to: { path: filesOf('cli') },
    },
    {
      name: 'pure-floors-import-no-package',
      severity: 'error',
      from: { path: '^packages/wire/src/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'source-imports-no-dev-package',
      severity: 'error',
      from: { path: '^(packages/\\w+|turnwire)/src/' },
      // An optional peer is installed here for the tests, and loaded by whoever asked for it.
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer'],
        pathNot: 'node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@turnwire/source', 'import', 'types', 'node', 'default'],
    },
  },
};

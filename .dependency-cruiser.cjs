/**
 * The import table of docs/architecture.md, one rule per folder: anything below `src/` that is not in
 * the folder's list is forbidden. An arrow points only down.
 */
const mayImport = {
  base: [],
  model: ['base'],
  wire: ['model', 'base'],
  platform: ['base'],
  transport: ['platform', 'base', 'model/errors'],
  client: ['wire', 'transport', 'platform', 'model', 'base'],
  mock: ['wire', 'platform', 'model', 'base'],
  agent: ['client', 'platform', 'model', 'base'],
  bridge: ['client', 'transport', 'wire', 'platform', 'model', 'base'],
  doctor: ['client', 'wire', 'platform', 'model', 'base'],
  terminal: ['agent', 'platform', 'model', 'base'],
  acp: ['agent', 'platform', 'model', 'base'],
};

const layerRules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import only: ${[folder, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`) },
}));

/** Where the bridge is. */
const BRIDGE = 'src/bridge';

/**
 * The rooms of the bridge, and what each may see of the others: an arrow points only down. `bridge.ts` puts them together;
 * `options.ts` is what all of them are told.
 */
const roomsOfBridge = {
  store: [],
  observe: [],
  reply: ['observe', 'store'],
  upstream: ['observe'],
  request: ['upstream', 'reply', 'store'],
  'exchange/stages': [],
  exchange: ['request', 'upstream', 'reply', 'observe', 'store'],
  front: ['exchange', 'request', 'upstream', 'reply', 'observe', 'store'],
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
        'a new room of the bridge needs its row in roomsOfBridge; outside of the rooms are only these three files',
      severity: 'error',
      from: {
        path: `^${BRIDGE}/`,
        pathNot: [
          `^${BRIDGE}/(index|bridge|options)\\.ts$`,
          ...Object.keys(roomsOfBridge).map((room) => `^${BRIDGE}/${room}/`),
        ],
      },
      to: {},
    },
    {
      name: 'bridge-options-imports',
      severity: 'error',
      from: { path: `^${BRIDGE}/options\\.ts$` },
      to: { path: `^${BRIDGE}/`, pathNot: `^${BRIDGE}/store/` },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nobody-imports-cli', severity: 'error', from: { pathNot: '^src/cli/' }, to: { path: '^src/cli/' } },
    {
      name: 'pure-floors-import-no-package',
      severity: 'error',
      from: { path: '^src/(base|model|wire)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'src-imports-no-dev-package',
      severity: 'error',
      from: { path: '^src/' },
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
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};

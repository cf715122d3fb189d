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

module.exports = {
  forbidden: [
    ...layerRules,
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

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { protocolIds, protocols } from '../../packages/wire/src/index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Compiles src with one more protocol id and gives the files that do not compile any more. */
function filesThatMustDecide(): readonly string[] {
  const folder = mkdtempSync(resolve('test', '.protocols-'));
  folders.push(folder);
  const decoder = resolve('packages/wire/src/decoder.ts');
  const more = readFileSync(decoder, 'utf8').replace(
    "ProtocolId = 'chat' | 'responses' | 'messages'",
    "ProtocolId = 'chat' | 'responses' | 'messages' | 'fourth'",
  );
  const script = join(folder, 'check.mjs');
  const root = `${resolve('.')}/`;
  writeFileSync(
    script,
    `import ts from 'typescript';
const config = ts.getParsedCommandLineOfConfigFile('tsconfig.json', { noEmit: true }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} });
const host = ts.createCompilerHost(config.options);
const read = host.readFile;
host.readFile = (name) => (name.endsWith('packages/wire/src/decoder.ts') ? ${JSON.stringify(more)} : read.call(host, name));
const source = host.getSourceFile;
host.getSourceFile = (name, options) => name.endsWith('packages/wire/src/decoder.ts') ? ts.createSourceFile(name, ${JSON.stringify(more)}, options) : source.call(host, name, options);
const program = ts.createProgram(config.fileNames.filter((name) => name.includes('/src/')), config.options, host);
const files = ts.getPreEmitDiagnostics(program).map(({ file }) => file?.fileName.replace(${JSON.stringify(root)}, '') ?? '');
console.log(JSON.stringify([...new Set(files)].sort()));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (!stdout.startsWith('[')) throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

describe('protocols', () => {
  it.each(protocolIds)('%s is registered under its own id', (id) => {
    expect(protocols[id].id).toBe(id);
  });

  it('makes the compiler name every table that a new wire needs a row in', { timeout: 300_000 }, () => {
    expect(filesThatMustDecide()).toEqual([
      'packages/bridge/src/exchange/answer.ts',
      'packages/bridge/src/exchange/count-tokens.ts',
      'packages/bridge/src/exchange/models.ts',
      'packages/bridge/src/exchange/translate.ts',
      'packages/bridge/src/front/caller.ts',
      'packages/bridge/src/inspect/trace-reader.ts',
      'packages/bridge/src/request/prepare.ts',
      'packages/bridge/src/warm-up.ts',
      'packages/client/src/telemetry.ts',
      'packages/testing/src/faults/ending.ts',
      'packages/testing/src/faults/errors.ts',
      'packages/testing/src/faults/framing.ts',
      'packages/testing/src/faults/refuse.ts',
      'packages/testing/src/faults/requests.ts',
      'packages/testing/src/faults/responses-dialects.ts',
      'packages/testing/src/faults/tools.ts',
      'packages/testing/src/faults/wrong-wire.ts',
      'packages/testing/src/scenario/wires.ts',
      'packages/wire/src/machines.ts',
      'packages/wire/src/protocols.ts',
      'turnwire/src/doctor/tape/bug-report.ts',
      'turnwire/src/doctor/wire-checks.ts',
      'turnwire/src/doctor/wires.ts',
    ]);
  });
});

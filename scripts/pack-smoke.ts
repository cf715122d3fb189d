/**
 * Packs the package, installs the tarball into an empty folder, and uses it there as a stranger would: every export
 * can be imported, `turnwire exec` answers, and an old Node is told so in one line.
 */
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fail, mustRun, root, runTool } from './run-tool.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
};
const folder = mkdtempSync(join(tmpdir(), 'turnwire-pack-'));
// Nothing of the machine's own configuration may answer in our place.
const env = { HOME: folder, XDG_CONFIG_HOME: join(folder, 'config') };

try {
  const tarball = pack();
  checkPackage(tarball);
  install(tarball);
  checkExports();
  checkAnswer();
  checkOldNode();
  process.stdout.write('pack: the tarball installs into an empty folder and answers there\n');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack(): string {
  const output = mustRun('npm', ['pack', '--silent', '--pack-destination', folder]);
  const name = output.trim().split('\n').at(-1) ?? '';
  if (!name.endsWith('.tgz')) fail(`pack: npm named no tarball: ${output}`);
  return join(folder, name);
}

function checkPackage(tarball: string): void {
  mustRun('publint', ['run', tarball, '--strict']);
  mustRun('attw', [tarball, '--profile', 'esm-only', '--no-definitely-typed']);
}

function install(tarball: string): void {
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--silent'];
  // With the machine's own npm cache: HOME stays as it is here.
  mustRun('npm', ['install', tarball, ...quiet], { cwd: folder });
}

function checkExports(): void {
  const names = Object.keys(manifest.exports ?? {}).filter((path) => path !== './package.json');
  if (names.length === 0) fail('pack: package.json names no exports');
  for (const path of names) {
    const specifier = path.replace('.', manifest.name);
    const script = `const m = await import(${JSON.stringify(specifier)}); if (Object.keys(m).length === 0) process.exit(3);`;
    mustRun('node', ['--input-type=module', '--eval', script], { cwd: folder, env });
  }
}

function checkAnswer(): void {
  const turnwire = join(folder, 'node_modules', '.bin', 'turnwire');
  const { status, stdout, stderr } = runTool(turnwire, ['exec', 'hi'], { cwd: folder, env });
  if (status !== 0 || stdout.trim() === '' || !stderr.includes('scripted')) {
    fail(`pack: turnwire exec exited with ${status}: ${stdout}${stderr}`);
  }
}

function checkOldNode(): void {
  const old = findOldNode();
  if (old === undefined) {
    process.stdout.write('pack: no Node older than 22.19 on this machine, so its message was not checked\n');
    return;
  }
  const main = join(folder, 'node_modules', manifest.name, 'dist', 'cli', 'main.js');
  const { status, stdout, stderr } = runTool(old, [main, 'exec', 'hi'], { cwd: folder, env });
  const oneLine = /^turnwire: needs Node 22\.19 or newer, this is Node [\d.]+\n$/.test(stderr);
  if (status !== 2 || stdout !== '' || !oneLine)
    fail(`pack: on an old Node it exited with ${status}: ${stdout}${stderr}`);
}

function findOldNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, 'node'));
  return candidates.find((path) => isExecutable(path) && isOld(runTool(path, ['--version']).stdout));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.trim().replace('v', '').split('.').map(Number);
  return major < 22 || (major === 22 && minor < 19);
}

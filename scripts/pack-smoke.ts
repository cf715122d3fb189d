/**
 * Packs each package, installs its tarball into an empty folder, alone but for the packages of this workspace that it depends
 * on, and uses it there as a stranger would, on every runtime that it claims to run on: each export can be imported, the
 * program of the package in `e2e/packages` prints what it should, `turnwire exec` answers, and an old Node is told so in one line.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findRuntimes, isExecutable, ownNode, type Runtime } from './find-runtimes.ts';
import { packages, publicEntries, type Package } from './packages.ts';
import { fail, mustRun, root, runTool, toolEnv } from './run-tool.ts';

interface Claim {
  /** The last line of the package's program. */
  readonly prints: string;
  /** The packages in node_modules after the install, at most. */
  readonly installed: number;
  /** Whether it needs no Node. */
  readonly anywhere: boolean;
}

const claims: Readonly<Record<string, Claim>> = {
  '@turnwire/wire': { prints: 'completed Hé 0', installed: 1, anywhere: true },
  '@turnwire/client': { prints: 'completed Hé stop', installed: 3, anywhere: false },
  '@turnwire/testing': { prints: 'completed Hé 1', installed: 8, anywhere: false },
  '@turnwire/bridge': { prints: 'completed Hé 200', installed: 60, anywhere: false },
  '@turnwire/inspector': { prints: 'index.html app.js app.css', installed: 1, anywhere: false },
  '@turnwire/agent': { prints: 'turn.completed Hé true', installed: 120, anywhere: false },
  turnwire: { prints: '', installed: 180, anywhere: false },
};

const folder = mkdtempSync(join(tmpdir(), 'turnwire-pack-'));

try {
  mustRun('node', [join(root, 'scripts', 'build.ts')]);
  const tarballs = new Map(packages.map((each) => [each.manifest.name, pack(each)]));
  const others = findRuntimes().scripts;
  using server = await startServer();
  for (const each of packages) {
    const place = install(each, tarballs);
    const claim = claims[each.manifest.name];
    if (claim === undefined) fail(`pack: nothing is said of ${each.manifest.name}`);
    const count = countInstalled(place);
    if (count > claim.installed) fail(`pack: ${each.manifest.name} installs ${count} packages, not ${claim.installed}`);
    const runtimes = [ownNode, ...others.filter(({ name }) => claim.anywhere || name.startsWith('node'))];
    for (const runtime of runtimes) use(each, place, runtime, claim, server.url);
    process.stdout.write(
      `pack: ${each.manifest.name}: ${count} installed, ${installedMiB(place).toFixed(1)} MiB; ${runtimes.map(({ name }) => name).join(', ')}\n`,
    );
    if (each.manifest.name === 'turnwire') checkCommand(place);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack({ folder: source, manifest }: Package): string {
  // The build is done, and `prepack` would do it again for each.
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const name =
    mustRun('npm', args, { cwd: join(root, source) })
      .trim()
      .split('\n')
      .at(-1) ?? '';
  if (!name.endsWith('.tgz')) fail(`pack: npm named no tarball of ${manifest.name}: ${name}`);
  const tarball = join(folder, name);
  mustRun('publint', ['run', tarball, '--strict']);
  mustRun('attw', [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--exclude-entrypoints', 'internal/*']);
  return tarball;
}

/** The tarballs of a package and of all packages of the workspace below it. */
function needed(name: string, tarballs: ReadonlyMap<string, string>): Set<string> {
  const manifest = packages.find((each) => each.manifest.name === name)?.manifest;
  const own = Object.keys(manifest?.dependencies ?? {}).filter((dependency) => tarballs.has(dependency));
  return new Set([tarballs.get(name) ?? '', ...own.flatMap((dependency) => [...needed(dependency, tarballs)])]);
}

function install({ manifest }: Package, tarballs: ReadonlyMap<string, string>): string {
  const place = join(folder, manifest.name.replace('/', '-'));
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{"private":true,"type":"module"}\n');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--silent'];
  // With the machine's own npm cache: HOME stays as it is here.
  mustRun('npm', ['install', ...needed(manifest.name, tarballs), ...quiet], { cwd: place });
  return place;
}

/** The size of the files below a folder's node_modules, in MiB. */
function installedMiB(place: string): number {
  const names = readdirSync(join(place, 'node_modules'), { recursive: true, withFileTypes: true });
  const files = names.filter((name) => name.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0) / 2 ** 20;
}

/** The packages below a folder's node_modules, at any depth. */
function countInstalled(place: string): number {
  const lock = JSON.parse(readFileSync(join(place, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  return Object.keys(lock.packages).filter((path) => path !== '').length;
}

function use(each: Package, place: string, runtime: Runtime, claim: Claim, url: string): void {
  const { name } = each.manifest;
  // Nothing of the machine's own configuration may answer in our place.
  const env = {
    HOME: place,
    XDG_CONFIG_HOME: join(place, 'config'),
    BASE_URL: url,
    NODE_OPTIONS: '',
    DENO_NO_UPDATE_CHECK: '1',
  };
  // The entry for OpenTelemetry wants the optional peer, which only the command brings along.
  const entries = publicEntries(each).filter((entry) => entry !== './telemetry' || name === 'turnwire');
  const imports = entries.map((entry) => JSON.stringify(`${name}${entry.slice(1)}`));
  writeFileSync(
    join(place, 'entries.mjs'),
    // `register` exports nothing: it acts.
    `for (const name of [${imports.join()}])
      if (Object.keys(await import(name)).length === 0 && !name.endsWith('/register')) throw new Error(name);\n`,
  );
  runFile('entries.mjs', '');
  if (claim.prints === '') return;
  cpSync(join(root, 'e2e', 'packages', `${name.replace('@turnwire/', '')}.mjs`), join(place, 'program.mjs'));
  runFile('program.mjs', `${claim.prints}\n`);

  function runFile(file: string, prints: string): void {
    const { status, stdout, stderr } = runTool(runtime.command, [...runtime.args, file], { cwd: place, env });
    if (status === 0 && stdout === prints) return;
    fail(`pack: ${name} on ${runtime.name}: ${file} exited with ${status}: ${stdout}${stderr}`);
  }
}

async function startServer(): Promise<Disposable & { readonly url: string }> {
  const child = spawn('node', [join(root, 'e2e', 'packages', 'server.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: toolEnv,
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), [Symbol.dispose]: () => child.stdin.end() };
}

function checkCommand(place: string): void {
  const env = { HOME: place, XDG_CONFIG_HOME: join(place, 'config'), NODE_OPTIONS: '' };
  const turnwire = join(place, 'node_modules', '.bin', 'turnwire');
  const { status, stdout, stderr } = runTool(turnwire, ['exec', 'hi'], { cwd: place, env });
  if (status !== 0 || stdout.trim() === '' || !stderr.includes('scripted')) {
    fail(`pack: turnwire exec exited with ${status}: ${stdout}${stderr}`);
  }
  checkOldNode(place, env);
}

function checkOldNode(place: string, env: Readonly<Record<string, string>>): void {
  const old = findOldNode();
  if (old === undefined) {
    process.stdout.write('pack: no Node older than 22.19 on this machine, so its message was not checked\n');
    return;
  }
  const main = join(place, 'node_modules', 'turnwire', 'dist', 'cli', 'main.js');
  const { status, stdout, stderr } = runTool(old, [main, 'exec', 'hi'], { cwd: place, env });
  const oneLine = /^turnwire: needs Node 22\.19 or newer, this is Node [\d.]+\n$/.test(stderr);
  if (status !== 2 || stdout !== '' || !oneLine)
    fail(`pack: on an old Node it exited with ${status}: ${stdout}${stderr}`);
}

function findOldNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, 'node'));
  return candidates.find((path) => isExecutable(path) && isOld(runTool(path, ['--version']).stdout));
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.trim().replace('v', '').split('.').map(Number);
  return major < 22 || (major === 22 && minor < 19);
}

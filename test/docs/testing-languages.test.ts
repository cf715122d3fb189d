import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseScenario } from '../../packages/testing/src/load/scenario-file.ts';
import { freePort } from '../free-port.ts';
import { childEnv, createRunFolder } from '../run-folder.ts';
import { blocksOf, pageOf, root } from './examples.ts';

const blocks = blocksOf(pageOf('docs/testing.md'));

function block(heading: string, language: string): readonly string[] {
  return blocks.filter((each) => each.heading === heading && each.language === language).map(({ code }) => code);
}

/** A folder whose `npx turnwire` is the command of this tree. */
function createProject(): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = createRunFolder('languages');
  mkdirSync(join(folder, 'bin'));
  const npx = join(folder, 'bin', 'npx');
  const main = join(root, 'turnwire', 'src', 'cli', 'main.ts');
  writeFileSync(npx, `#!/bin/sh\nshift\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(npx, 0o755);
  return { folder, env: { ...childEnv, PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`, HOME: folder } };
}

/** Runs a program until it exits: what it started in the background may go on. */
async function run(command: string, args: readonly string[], { folder, env }: ReturnType<typeof createProject>) {
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, printed };
}

describe('docs/testing.md, from any language', { timeout: 60_000 }, () => {
  it('the expectations are those of a scenario', () => {
    const [toml = ''] = block('Expectations', 'toml');
    const { expect: expected } = parseScenario(`${toml}\n[[turns]]\n[[turns.replies]]\ntext = "x"\n`, { toml: true });
    expect(expected?.map(({ name, body }) => [name, Object.keys(body ?? {})])).toEqual([
      ['the question', ['model', 'messages.-1.content', 'tools.0.function.name', 'temperature']],
      [undefined, ['messages.-1.role']],
    ]);
  });

  it('the shell commands print what the page says', async () => {
    const port = String(await freePort());
    const [script = ''] = block('Shell', 'sh');
    const { code, printed } = await run('sh', ['-euc', script.replaceAll('18431', port)], createProject());
    const [stdout, stderr] = await printed;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: block('Shell', 'text')[0], stderr: '' });
  });

  it('one command runs against a mock of its own', async () => {
    const [script = ''] = block('One command', 'sh');
    const { code, printed } = await run('sh', ['-euc', script], createProject());
    const [stdout, stderr] = await printed;
    expect({ code, stdout }).toEqual({ code: 0, stdout: block('One command', 'text')[0] });
    expect(stderr).toContain('expected 1 request, got 0');
  });

  it('the tests of pytest pass, and fail where the agent does not what is expected', async ({ skip }) => {
    const project = createProject();
    const [conftest = '', test = ''] = block('pytest', 'python');
    writeFileSync(join(project.folder, 'conftest.py'), conftest);
    writeFileSync(join(project.folder, 'test_agent.py'), test);
    writeFileSync(
      join(project.folder, 'test_lazy.py'),
      test.replace('call(url, body), call(url, body)', 'call(url, body)'),
    );
    const found = await run('python3', ['-c', 'import pytest'], project).catch(() => ({ code: 1 }));
    if (found.code !== 0) skip('pytest is not installed');
    const { code, printed } = await run('python3', ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], project);
    const [stdout] = await printed;
    expect(stdout).toMatch(/1 failed, 1 passed, 1 error/);
    expect(stdout).toContain('request 2 did not come');
    expect(code).toBe(1);
  });

  it('the tests of Vitest pass', async () => {
    const folder = mkdtempSync(join(root, 'test', '.vitest-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'colour.test.ts'), block('Vitest', 'ts')[0] ?? '');
    const config = `export default { resolve: { conditions: ['@turnwire/source'] }, ssr: { resolve: { conditions: ['@turnwire/source', 'node'] } } };`;
    writeFileSync(join(folder, 'vitest.config.mjs'), config);
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const { code, printed } = await run(
      process.execPath,
      [vitest, 'run', '--reporter=json', '--outputFile=report.json'],
      {
        folder,
        env: { ...childEnv, NODE_OPTIONS: '--conditions=@turnwire/source' },
      },
    );
    const [, stderr] = await printed;
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({
      numPassedTests: 2,
      numTotalTests: 2,
    });
  });

  it('the steps of the workflow do what they say', async () => {
    const project = createProject();
    const port = String(await freePort());
    const [yaml = ''] = block('GitHub Actions', 'yaml');
    const { jobs } = parse(yaml.replaceAll('18431', port)) as Workflow;
    const steps = jobs.test.steps.flatMap(({ run: command, env }) => (command === undefined ? [] : [{ command, env }]));
    expect(steps).toHaveLength(3);
    for (const { command, env } of steps) {
      const step = { ...project, env: { ...project.env, ...env } };
      expect((await run('bash', ['-e', '-c', command], step)).code, command).toBe(0);
    }
    const { pid } = JSON.parse(readFileSync(join(project.folder, 'mock.json'), 'utf8')) as { pid: number };
    process.kill(pid);
    expect(readFileSync(join(project.folder, 'verdict.xml'), 'utf8')).toContain('failures="0"');
  });
});

interface Workflow {
  readonly jobs: {
    readonly test: { readonly steps: readonly { readonly run?: string; readonly env?: Record<string, string> }[] };
  };
}

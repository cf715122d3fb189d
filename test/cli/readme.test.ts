import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, runInProcess } from './harness.ts';

/** Pages for users: their examples are run, their links followed. */
const pages = ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs')];

function markdownIn(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');

function blocksOf(page: string, language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code);
}

/** `turnwire …` of the README's shell examples, in the words a shell would hand over. */
const commandLines = blocksOf(readme, 'sh')
  .flatMap((block) => block.trim().split('\n'))
  .filter((line) => line.startsWith('turnwire '));

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

describe('the README', () => {
  it('names the two commands that do everything', () => {
    const shell = blocksOf(readme, 'sh').join('');
    expect(shell).toMatch(/^npm ci && npm start$/m);
    expect(shell).toMatch(/^npm ci && npm test$/m);
  });

  it.each(commandLines)('has a shell example that works: %s', async (line) => {
    const [command = '', file] = line.split(' < ');
    const stdin = file === undefined ? '' : readFileSync(join(root, file));
    const { code, stdout } = await runInProcess(wordsOf(command).slice(1), { stdin, cwd: root });
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });

  it('has enough examples for the test above to mean something', () => {
    expect(commandLines.length).toBeGreaterThan(3);
  });
});

describe('TypeScript examples of the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-readme-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { default: string } | string>;
  };

  /** The package's entries, as they are found in the source tree. */
  function fromSource(code: string): string {
    return code.replaceAll(/from 'turnwire(\/\w+)?'/g, (_, path: string | undefined) => {
      const entry = manifest.exports[`.${path ?? ''}`];
      if (typeof entry !== 'object') throw new Error(`the package has no entry turnwire${path ?? ''}`);
      return `from '${join(root, entry.default.replace('./dist/', 'src/').replace('.js', '.ts'))}'`;
    });
  }

  it.each(blocksOf(readme, 'ts').map((code, n) => ({ code, n })))('number $n runs', ({ code, n }) => {
    const file = join(folder, `example-${n}.mts`);
    writeFileSync(file, fromSource(code));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 15_000 });
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
    expect(status).toBe(0);
  });
});

describe('links between the pages', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)) {
      const [path = '', anchor] = target.split('#');
      const found = readFileSync(join(root, page, '..', path), { encoding: 'utf8' });
      if (anchor !== undefined) expect(headingsOf(found)).toContain(anchor);
    }
  });
});

/** The anchors that a Markdown viewer gives the headings. */
function headingsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  );
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFlags, sourceUrl } from '../../scripts/packages.ts';
import { childEnv, createRunFolder } from '../run-folder.ts';

export const root = join(import.meta.dirname, '..', '..');

const folder = createRunFolder('examples');

/** The text of a page of this repository. */
export function pageOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export interface Block {
  readonly language: string;
  readonly code: string;
  /** The nearest heading above. */
  readonly heading: string;
  /** The `text` block that follows a program: what it prints. */
  readonly prints: string | undefined;
}

/** The fenced blocks of a page, in their order. */
export function blocksOf(page: string, language?: string): Block[] {
  const found = [...page.matchAll(/^(#+ [^\n]*)$|^```(\w*)\n(.*?)^```$/gms)];
  let heading = '';
  const blocks = found.flatMap(([, title, name = '', code = ''], n) => {
    if (title !== undefined) {
      heading = title.replace(/^#+ /, '');
      return [];
    }
    const prints = found[n + 1]?.[2] === 'text' ? found[n + 1]?.[3] : undefined;
    return [{ language: name, code, heading, prints }];
  });
  return blocks.filter((block) => language === undefined || block.language === language);
}

/** The packages' entries as they are found in the source tree, and dependencies where they are installed. */
function fromSource(code: string): string {
  return code.replaceAll(/from '((?:@|\w)[^']*)'/g, (whole, name: string) => {
    if (name.startsWith('node:')) return whole;
    return `from '${sourceUrl(name) ?? import.meta.resolve(name)}'`;
  });
}

export interface ExampleRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let count = 0;

/** Runs an example in a process of its own, which has to end by itself within a minute. */
export async function runExample(code: string, env: Readonly<Record<string, string>> = {}): Promise<ExampleRun> {
  const file = join(folder, `example-${count++}.mts`);
  writeFileSync(file, fromSource(code));
  const child = spawn(process.execPath, [...sourceFlags, '--disable-warning=ExperimentalWarning', file], {
    env: { ...childEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const [status] = (await once(child, 'close')) as [number | null];
  return { code: status, stdout, stderr };
}

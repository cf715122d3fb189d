import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { LineFiles } from '../../packages/bridge/src/observe/line-files.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-line-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

function openFiles(onError: (error: Error) => void = (error) => expect.fail(error.message)) {
  const writes = vi.spyOn(Writable.prototype, 'write');
  const clock = manualClock();
  const texts = (): string[] => writes.mock.calls.map(([text]) => String(text));
  return { files: new LineFiles(clock, onError), clock, texts };
}

/** What a program of a test begins with. */
const IMPORTS = `
  const { LineFiles } = await import(${urlOf('bridge/src/observe/line-files.ts')});
  const { systemClock } = await import(${urlOf('client/src/platform/system-clock.ts')});
  const { WriteStream } = await import('node:fs');
  /** A file that the system has opened, and its number. */
  const open = async (files, path) => {
    const { promise, resolve } = Promise.withResolvers();
    const { _construct } = WriteStream.prototype;
    WriteStream.prototype._construct = function (callback) {
      _construct.call(this, (error) => (callback(error), resolve(this.fd)));
    };
    return [files.open(path), await promise];
  };`;

function urlOf(file: string): string {
  return JSON.stringify(new URL(`../../packages/${file}`, import.meta.url).href);
}

function run(program: string) {
  const args = ['--conditions=@turnwire/source', '--input-type=module', '-e', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

describe('files of lines', () => {
  it('are written to once for all lines of a moment, in order', async () => {
    const { files, clock, texts } = openFiles();
    const one = files.open(join(folder, 'one'));
    const other = files.open(join(folder, 'other'));
    for (const line of ['1', '2', '3']) {
      one.write(line);
      other.write(line.repeat(2));
    }
    clock.advance(49);
    expect(texts()).toEqual([]);
    clock.advance(1);
    expect(texts()).toEqual(['1\n2\n3\n', '11\n22\n33\n']);
    await expect.poll(() => read('one')).toBe('1\n2\n3\n');
    one.write('ü');
    one.end();
    await expect.poll(() => read('one')).toBe('1\n2\n3\nü\n');
    other.end();
    files.close();
  });

  it('have one write under way, and the next one behind it', async () => {
    const { files, clock, texts } = openFiles();
    const file = files.open(join(folder, 'slow'));
    file.write('1');
    clock.advance(50);
    file.write('2');
    clock.advance(50);
    file.write('3');
    expect(texts()).toEqual(['1\n']);
    await expect
      .poll(() => {
        clock.advance(50);
        return read('slow');
      })
      .toBe('1\n2\n3\n');
    expect(texts()).toEqual(['1\n', '2\n3\n']);
    file.end();
    files.close();
  });

  it('let no more wait than a bound, and nothing at their end', async () => {
    const { files, texts } = openFiles();
    const file = files.open(join(folder, 'long'));
    const long = 'x'.repeat(40_000);
    file.write(long);
    file.write(long);
    expect(texts()).toEqual([`${long}\n${long}\n`]);
    await expect.poll(() => read('long').length).toBe(80_002);
    file.write('last');
    file.end();
    await expect.poll(() => read('long')).toBe(`${long}\n${long}\nlast\n`);
    files.close();
  });

  it('end with the line before the one that cannot wait any more, where the file system does not get on', async () => {
    const problems: string[] = [];
    const { files, clock } = openFiles((error) => problems.push(error.message));
    const file = files.open(join(folder, 'cut'));
    const line = 'x'.repeat(16 * 1024 * 1024);
    file.write('on its way');
    clock.advance(50);
    // Within one turn of the event loop nothing is written.
    for (let count = 0; count < 6; count++) file.write(`${count}${line}`);
    expect(problems).toEqual([`${join(folder, 'cut')} is cut: the file system takes too long`]);
    file.end();
    const kept = `on its way\n0${line}\n1${line}\n2${line}\n3${line}\n`;
    await expect.poll(() => read('cut').length).toBe(kept.length);
    expect(read('cut') === kept).toBe(true);
    files.close();
  });

  it('are written when they are closed all together', () => {
    const { files, texts } = openFiles();
    const file = files.open(join(folder, 'closed'));
    file.write('1');
    files.close();
    expect(texts()).toEqual(['1\n']);
    file.end();
  });

  it('go on with a write for each line behind that', async () => {
    const { files, texts } = openFiles();
    const file = files.open(join(folder, 'behind'));
    files.close();
    file.write('1');
    expect(texts()).toEqual(['1\n']);
    file.write('2');
    file.end();
    await expect.poll(() => read('behind')).toBe('1\n2\n');
  });

  it('count what waits in files that are over, too, where the file system hangs', () => {
    vi.spyOn(WriteStream.prototype, '_write').mockReturnValue(undefined);
    const problems: string[] = [];
    const { files, clock } = openFiles((error) => problems.push(error.message));
    const line = 'x'.repeat(16 * 1024 * 1024);
    for (let count = 0; count < 6; count++) {
      const file = files.open(join(folder, `hangs-${count}`));
      file.write(line);
      if (count % 2 === 0) file.end();
      clock.advance(50);
    }
    expect(problems).toEqual([4, 5].map((n) => `${join(folder, `hangs-${n}`)} is cut: the file system takes too long`));
    files.close();
  });

  it('write nothing at the end of the process to a file that has failed: its number may be that of another one', () => {
    const other = join(folder, 'another');
    const program = `
      const { openSync } = await import('node:fs');
      ${IMPORTS}
      setTimeout(() => undefined, 60_000); // for as long as it waits
      const { promise, resolve } = Promise.withResolvers();
      WriteStream.prototype._write = (chunk, encoding, callback) => callback(new Error('full'));
      const file = new LineFiles(systemClock, resolve).open(${JSON.stringify(join(folder, 'failed'))});
      file.write('1');
      await promise;
      for (let n = 0; n < 8; n++) openSync(${JSON.stringify(other)}, 'w');
      file.write('2');
      process.exit(3);`;
    expect(run(program)).toMatchObject({ status: 3, stderr: '' });
    expect(read('another')).toBe('');
  });

  it('are whole when the process ends as soon as they are closed, and nobody listens for its end then', async () => {
    const path = join(folder, 'closed-last');
    const program = `
      ${IMPORTS}
      const files = new LineFiles(systemClock, () => undefined);
      const [file] = await open(files, ${JSON.stringify(path)});
      file.write('1');
      files.close();
      file.write('2');
      file.end();
      process.exit(3);`;
    expect(run(program)).toMatchObject({ status: 3, stderr: '' });
    expect(read('closed-last')).toBe('1\n2\n');
    const before = process.listenerCount('exit');
    const { files } = openFiles();
    const file = files.open(join(folder, 'heard'));
    expect(process.listenerCount('exit')).toBe(before);
    file.write('1');
    expect(process.listenerCount('exit')).toBe(before + 1);
    files.close();
    expect(process.listenerCount('exit')).toBe(before);
    await expect.poll(() => read('heard')).toBe('1\n');
    file.end();
  });

  it('are written at the end of the process though one of them cannot be', () => {
    const path = join(folder, 'beside');
    const program = `
      const { closeSync } = await import('node:fs');
      ${IMPORTS}
      setTimeout(() => undefined, 60_000); // for as long as it waits
      const files = new LineFiles(systemClock, (error) => console.log(error.code));
      const [first, fd] = await open(files, ${JSON.stringify(join(folder, 'gone'))});
      const [second] = await open(files, ${JSON.stringify(path)});
      first.write('1');
      second.write('2');
      closeSync(fd);
      process.exit(3);`;
    expect(run(program)).toMatchObject({ status: 3, stdout: 'EBADF\n', stderr: '' });
    expect(read('beside')).toBe('2\n');
  });

  it('tell whoever wants to know why they cannot be written', async () => {
    const { promise, resolve } = Promise.withResolvers<Error>();
    const { files, clock } = openFiles(resolve);
    const file = files.open(join(folder, 'no', 'folder'));
    file.write('1');
    clock.advance(50);
    expect(await promise).toMatchObject({ code: 'ENOENT' });
    file.write('2');
    clock.advance(50);
    file.end();
    files.close();
  });

  it('are whole when the process ends', () => {
    const path = join(folder, 'ended');
    const program = `
      const { readFileSync } = await import('node:fs');
      ${IMPORTS}
      const file = new LineFiles(systemClock, () => undefined).open(${JSON.stringify(path)});
      const seen = () => { try { return readFileSync(${JSON.stringify(path)}, 'utf8'); } catch { return ''; } };
      file.write('ü');
      while (seen() === '') await new Promise((resolve) => setTimeout(resolve, 1));
      file.write('2');
      file.write('3');
      process.exit(3);`;
    expect(run(program)).toMatchObject({ status: 3, stderr: '' });
    expect(read('ended')).toBe('ü\n2\n3\n');
  });
});

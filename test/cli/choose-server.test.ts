import { PassThrough, Readable } from 'node:stream';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTls } from 'node:https';
import { once } from 'node:events';
import { createServer as createMute, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { ModelMapRow } from '@turnwire/bridge';
import type { CliContext, InputStream } from '../../turnwire/src/cli/context.ts';
import { chooseServer } from '../../turnwire/src/cli/servers/choose-server.ts';
import { localServers } from '../../turnwire/src/cli/servers/local-servers.ts';
import { untrusted } from '../transport/support/certificate.ts';

const home = mkdtempSync(join(tmpdir(), 'turnwire-choose-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

async function serverWith(...ids: readonly string[]): Promise<string> {
  const data = ids.map((id) => ({ id, max_model_len: 1000 + id.length }));
  const server = createServer((_, res) => res.end(JSON.stringify({ data }))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function deadServer(): Promise<string> {
  const url = await serverWith();
  opened.pop()?.();
  return url;
}

/** A terminal at which a person types these lines, each when the next question stands there; or none. */
function terminal(answers: readonly string[] | undefined) {
  const isTTY = answers !== undefined;
  const typed = new PassThrough();
  const stdin: InputStream = isTTY ? typed : Readable.from([]);
  const stderr = new PassThrough();
  let printed = '';
  const left = [...(answers ?? [])];
  stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    if (/(?:\[Y\/n\]|Which one\?|A number from 1 to \d+:) $/.test(printed) && left.length > 0) {
      printed += '\n';
      typed.write(`${left.shift()}\n`);
    }
  });
  const cli: CliContext = {
    args: [],
    env: {},
    cwd: home,
    home,
    stdin: Object.assign(stdin, { isTTY }),
    stdout: Object.assign(new PassThrough(), { isTTY }),
    stderr: Object.assign(stderr, { isTTY }),
    onSignal: () => () => undefined,
  };
  return { cli, printed: () => printed };
}

const question = { command: 'turnwire run', given: () => false };

it('looks where each program listens by its own documentation', () => {
  expect(localServers.map(({ name, baseUrl }) => `${name} ${baseUrl}`)).toEqual([
    'llama.cpp http://127.0.0.1:8080/v1',
    'Ollama http://127.0.0.1:11434/v1',
    'LM Studio http://127.0.0.1:1234/v1',
    'vLLM http://127.0.0.1:8000/v1',
  ]);
});

describe('without --upstream', () => {
  const choose = async (urls: readonly string[], answers?: readonly string[], model?: string) => {
    const { cli, printed } = terminal(answers);
    const candidates = urls.map((baseUrl, at) => ({ name: `server ${at + 1}`, baseUrl }));
    const flags = { wire: 'auto', ...(model === undefined ? {} : { model }) } as const;
    const chosen = await chooseServer(flags, { ...question, candidates }, cli);
    return { ...chosen, printed: printed() };
  };

  it('takes the only one that answers, and says so', async () => {
    const url = await serverWith('tiny');
    expect(await choose([await deadServer(), url])).toEqual({
      upstreams: { upstreams: [{ url }] },
      model: 'tiny',
      contextWindow: 1004,
      printed: `turnwire run: using server 2 at ${url}\n`,
    });
  });

  it('asks on a terminal', async () => {
    const url = await serverWith('a', 'b', 'c', 'd');
    const chosen = await choose([url], ['', '9', '2']);
    expect(chosen).toMatchObject({ upstreams: { upstreams: [{ url }] }, model: 'b' });
    expect(chosen.printed).toContain(`Use server 1 at ${url} (a, b, c, 1 more)? [Y/n] `);
    expect(chosen.printed).toContain('  2  b\n');
    expect(chosen.printed).toContain('A number from 1 to 4: ');
    await expect(choose([url], ['n'])).rejects.toThrow('no model server: name yours with --upstream URL');
  });

  it('asks which of several, or lists them', async () => {
    const [one, two] = [await serverWith('a'), await serverWith('b')];
    const chosen = await choose([one, two], ['2']);
    expect(chosen).toMatchObject({ upstreams: { upstreams: [{ url: two }] }, model: 'b' });
    await expect(choose([one, two])).rejects.toThrow(
      `several model servers run here: name one with --upstream URL (server 1 at ${one}, server 2 at ${two})`,
    );
  });

  it('says what was tried where there is none', async () => {
    const dead = await deadServer();
    await expect(choose([dead])).rejects.toThrow(
      `no model server was found (tried server 1 at ${dead}): start one, or name yours with --upstream URL`,
    );
  });

  it('takes a model that is named, with the window of the only one', async () => {
    expect(await choose([await serverWith('tiny')], undefined, 'alias')).toMatchObject({
      model: 'alias',
      contextWindow: 1004,
    });
    expect(await choose([await serverWith('a', 'b')], undefined, 'alias')).not.toHaveProperty('contextWindow');
  });
});

describe('with --upstream', () => {
  const choose = async (upstream: readonly string[], model?: string, modelMap: readonly ModelMapRow[] = []) => {
    const { cli, printed } = terminal(undefined);
    const flags = { wire: 'auto', upstream, ...(model === undefined ? {} : { model }) } as const;
    const chosen = await chooseServer(flags, { ...question, modelMap }, cli);
    return { model: chosen.model, printed: printed() };
  };

  it('takes an address without http://, and proposes one where it is not of this machine', async () => {
    const url = new URL(await serverWith('tiny'));
    expect(await choose([`:${url.port}`])).toEqual({ model: 'tiny', printed: '' });
    await expect(choose(['gpu:8080'])).rejects.toThrow(
      'the address of an upstream must be an http:// or https:// URL: did you mean http://gpu:8080?',
    );
  });

  it('says that the server alone tells of no such model, and lets it try', async () => {
    const url = await serverWith('tiny', 'claude-haiku-4-5-20251001', 'qwen3:latest');
    const note =
      'turnwire run: note: no server tells of a model "tinny" (did you mean tiny?); there are: tiny, claude-haiku-4-5-20251001, qwen3:latest\n';
    expect(await choose([url], 'tinny')).toEqual({ model: 'tinny', printed: note });
    for (const name of ['tiny', 'claude-haiku-4-5', 'qwen3', 'gpt-5']) {
      expect(await choose([url], name, [{ pattern: 'gpt-*', model: 'tiny' }])).toEqual({ model: name, printed: '' });
    }
  });

  it('refuses a model that none of several servers has, and takes that of one', async () => {
    const [one, two, same] = [await serverWith('a'), await serverWith('b'), await serverWith('a')];
    await expect(choose([one, two], 'nope')).rejects.toThrow('no server has the model "nope"; there are: a, b');
    expect(await choose([one, two], 'b')).toEqual({ model: 'b', printed: '' });
    expect((await choose([one, same], 'nope')).printed).toContain('no server tells of a model "nope"');
    expect((await choose([one, await serverWith()], 'nope')).printed).toContain('no server tells of a model "nope"');
    await expect(choose([one, two])).rejects.toThrow(/^http:\S+ and http:\S+ have several models: name one with/);
  });

  it('waits for a server that loads its model, and says so once', async () => {
    let asked = 0;
    const loading = JSON.stringify({ error: { code: 503, message: 'Loading model', type: 'unavailable_error' } });
    const place = await portOf(
      createServer((_, res) => {
        asked += 1;
        res.writeHead(asked > 2 ? 200 : 503, { 'content-type': 'application/json' });
        res.end(asked > 2 ? JSON.stringify({ data: [{ id: 'slow' }] }) : loading);
      }),
    );
    expect(await choose([`http://${place}`])).toEqual({
      model: 'slow',
      printed: `turnwire run: note: http://${place} still loads its model: it is waited for (Ctrl-C ends this)\n`,
    });
  });

  it('asks whether a server of web pages is a model server', async () => {
    const place = await portOf(
      createServer((_, res) => res.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html>')),
    );
    const page = `http://${place} has a web page in place of its models: is that a model server`;
    await expect(choose([place])).rejects.toThrow(`${page}, on this port? If it is, name its model with --model NAME`);
    expect(await choose([place], 'm')).toEqual({ model: 'm', printed: `turnwire run: note: ${page}?\n` });
  });

  it('tells which of several is dead', async () => {
    const [dead, alive] = [await deadServer(), await serverWith('a')];
    const { model, printed } = await choose([dead, alive]);
    expect(model).toBe('a');
    expect(printed).toMatch(/^turnwire run: note: GET \S+ failed: connection refused.*\n$/);
  });

  async function portOf(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.push(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('tells plain http from https: of a server that says so, and of one that waits for more', async () => {
    const polite = new URL(await serverWith('tiny')).host;
    // llama.cpp waits for the rest of what it takes for a request.
    const waiting = await portOf(
      createMute((socket) =>
        socket
          .on('error', () => undefined)
          .on('data', (bytes: Buffer) => {
            if (bytes.toString().startsWith('GET')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
          }),
      ),
    );
    await expect(choose([`https://${polite}`])).rejects.toThrow('write http:// instead of https:// in the base URL');
    await expect(choose([`https://${waiting}`])).rejects.toThrow(
      `https://${waiting}: this port speaks plain http: the address is http://${waiting}`,
    );
    const tls = await portOf(createTls(untrusted, (_, res) => res.end()));
    await expect(choose([`http://${tls}`])).rejects.toThrow(
      `http://${tls}: this port speaks https: the address is https://${tls}`,
    );
  });
});

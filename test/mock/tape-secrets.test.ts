import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { HeaderList, TapedExchange } from '../../packages/testing/src/tape/tape.ts';
import { parseTape } from '../../packages/testing/src/tape/tape.ts';
import { TapeMatcher } from '../../packages/testing/src/tape/match.ts';
import { TapeFolder, TapeWriter } from '../../packages/testing/src/tape/writer.ts';
import { secretSpans } from '../../packages/client/src/platform/secret-text.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-tape-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Taped {
  readonly target?: string;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array;
  readonly answer?: { readonly headers: HeaderList; readonly chunks: readonly Uint8Array[] };
}

/** What is on the tape of an exchange. */
function tape({ target = '/v1/x', headers = [], body = Buffer.alloc(0), answer }: Taped): {
  file: string;
  text: string;
  exchange: TapedExchange;
} {
  const request = { at: new Date(0).toISOString(), method: 'POST', target, headers, body };
  const options = { clock: systemClock, onProblem: (message: string) => expect.fail(message) };
  const writer = new TapeWriter(new TapeFolder(folder), request, 'http', options);
  writer.response(200, 'OK', answer?.headers ?? []);
  for (const chunk of answer?.chunks ?? []) writer.chunk(chunk);
  writer.end({ how: 'complete' });
  const text = readFileSync(join(folder, writer.file), 'utf8');
  const { exchange, problems } = parseTape(writer.file, text);
  expect(problems).toEqual([]);
  if (exchange === undefined) throw new Error('the tape is empty');
  return { file: writer.file, text, exchange };
}

const said = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString('utf8');

const codings = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const;

describe('a compressed body', () => {
  it.each(codings)('%s: is kept as it came without a secret, else decoded and masked', (coding, compress) => {
    const coded: HeaderList = [
      ['Content-Encoding', coding],
      ['Content-Length', '9'],
    ];
    const plain = compress(Buffer.from('{"model":"m","max_tokens":"hundred"}'));
    const kept = tape({
      headers: coded,
      body: plain,
      answer: { headers: coded, chunks: [plain.subarray(0, 5), plain.subarray(5)] },
    });
    expect(Buffer.from(kept.exchange.request.body)).toEqual(plain);
    expect(kept.exchange.chunks.map(({ data }) => Buffer.from(data))).toEqual([
      plain.subarray(0, 5),
      plain.subarray(5),
    ]);
    expect(kept.text).not.toMatch(/decoded|withheld/);

    const secret = compress(Buffer.from('{"api_key":"hush-hush-1"}'));
    const masked = '{"api_key":"***********"}';
    const clean = tape({
      headers: coded,
      body: secret,
      answer: { headers: coded, chunks: [secret.subarray(0, 5), secret.subarray(5)] },
    });
    expect(said(clean.exchange.request.body)).toBe(masked);
    expect(clean.exchange.request.headers).toEqual([['Content-Length', String(masked.length)]]);
    expect(clean.exchange.chunks.map(({ data }) => said(data))).toEqual([masked]);
    expect(clean.exchange.response?.headers).toEqual([['Content-Length', String(masked.length)]]);
    expect(clean.text.match(/"decoded":true/g)).toHaveLength(2);

    const asked = { kind: 'http', method: 'POST', target: '/v1/x', headers: coded, body: secret } as const;
    const other = { ...clean.exchange, request: { ...clean.exchange.request, body: Buffer.from('{"api_key":"*"}') } };
    expect(new TapeMatcher([other, clean.exchange]).take(asked)).toBe(clean.exchange);
  });

  it('that nobody can read is not kept', () => {
    const body = Buffer.from('hush-hush-1');
    for (const coding of ['aes128gcm', 'gzip']) {
      const coded: HeaderList = [['content-encoding', coding]];
      const { text, exchange } = tape({ headers: coded, body, answer: { headers: coded, chunks: [body] } });
      expect(said(exchange.request.body)).toBe('***********');
      expect(exchange.chunks.map(({ data }) => said(data))).toEqual(['***********']);
      expect(text.match(/"withheld":true/g)).toHaveLength(2);
    }
  });
});

describe('secrets on a tape', () => {
  it('in a form', () => {
    const headers: HeaderList = [['content-type', 'application/x-www-form-urlencoded']];
    const body = Buffer.from('grant_type=refresh&refresh_token=hush%2Dhush-1&client_id=me&code=hush-hush-2');
    const answer = { headers: [], chunks: [Buffer.from('you sent hush-hush-1')] };
    const { exchange } = tape({ headers, body, answer });
    expect(said(exchange.request.body)).toBe(
      `grant_type=refresh&refresh_token=${'*'.repeat(13)}&client_id=me&code=***********`,
    );
    expect(said(exchange.chunks[0]?.data)).toBe('you sent ***********');
  });

  it('in a form of parts', () => {
    const part = (name: string, value: string): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = (value: string): string => `${part('api_key', value)}${part('file', 'words')}--b--\r\n`;
    const headers: HeaderList = [['content-type', 'multipart/form-data; boundary=b']];
    const { exchange } = tape({ headers, body: Buffer.from(body('hush')) });
    expect(said(exchange.request.body)).toBe(body('****'));
  });

  it('in a path, and in the name of its file', () => {
    const { file, text } = tape({ target: '/v1/keys/sk-0123456789abcdefgh/x?user=u' });
    expect(file + text).not.toContain('0123456789');
    expect(text).toContain('"/v1/keys/[redacted]/x?user=u"');
  });

  it('in a cookie, whose other parts are none', () => {
    const headers: HeaderList = [['set-cookie', 'sid=hush-hush-1; Domain=example.com; Path=/v1']];
    const { exchange } = tape({ answer: { headers, chunks: [Buffer.from('hush-hush-1 of example.com')] } });
    expect(exchange.response?.headers).toEqual([['set-cookie', '[redacted]']]);
    expect(said(exchange.chunks[0]?.data)).toBe('*********** of example.com');
  });

  it('are no pieces of an answer, which log probabilities call tokens', () => {
    const text =
      'data: {"logprobs":[{"token":" extraordinary","logprob":-1},{"token":"antidisestablishment arian"}]}\n\n';
    const chunks = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));
    const { exchange } = tape({ answer: { headers: [], chunks } });
    expect(exchange.chunks.map(({ data }) => said(data)).join('')).toBe(text);
    expect(exchange.chunks).toHaveLength(chunks.length);
  });
});

it.each([
  ['quotes', '"'],
  ['backslashes', '\\'],
  ['escaped quotes', '\\"'],
  ['names', '"api_key":"'],
  ['keys that are cut', 'eyJa-'],
  ['addresses', 'a://b:'],
  ['bearers', 'bearer '],
  ['parts', 'content-disposition: form-data; name="key"\r\n\r\n'],
])('looking for secrets takes time in proportion to the text: %s', (_name, piece) => {
  // The least of three: compiling and collecting garbage take their time in some other thread, now and then.
  const time = (bytes: number): number => {
    const text = piece.repeat(bytes / piece.length);
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      secretSpans(text, 'multipart/form-data');
      return process.cpuUsage(before).user / 1000;
    });
    return Math.min(...times);
  };
  time(100_000);
  expect(time(1_600_000)).toBeLessThan(40 * Math.max(time(100_000), 5)); // squared it would be 256 times
});

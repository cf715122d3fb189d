import { describe, expect, it } from 'vitest';
import { createAccessGuard, type AccessOptions } from '../../packages/bridge/src/front/access-guard.ts';
import { tokenFinder } from '../../packages/client/src/platform/token-finder.ts';
import { createTurnStateSigner } from '../../packages/bridge/src/upstream/sealed-turn.ts';

const good = { host: '127.0.0.1:18080', 'content-type': 'application/json' };

/** Lets in who has this token. */
function knows(token: string): NonNullable<AccessOptions['isKnown']> {
  const find = tokenFinder([token]);
  return (headers) => find(headers) !== undefined;
}

/** The status that a request is refused with, or `in`. */
function ask(
  headers: Record<string, string | undefined>,
  options: Partial<AccessOptions> = {},
  url = '/v1/responses',
): number | 'in' {
  return (
    createAccessGuard({ host: '127.0.0.1', ...options })({ method: 'POST', url, headers: { ...good, ...headers } })
      ?.status ?? 'in'
  );
}

describe('gate', () => {
  it('lets local programs in', () => {
    expect(ask({})).toBe('in');
    for (const host of ['localhost:1', 'LOCALHOST', '[::1]:80', '127.0.0.1']) expect(ask({ host })).toBe('in');
    expect(ask({ 'content-type': 'Application/JSON; charset=utf-8' })).toBe('in');
  });

  it('keeps foreign hosts, origins and content types out', () => {
    expect(ask({ host: 'evil.example:18080' })).toBe(403);
    expect(ask({ host: '127.0.0.1.evil.example' })).toBe(403);
    expect(ask({ host: undefined })).toBe(400);
    expect(ask({ origin: 'https://evil.example' })).toBe(403);
    expect(ask({ origin: 'null' })).toBe(403);
    expect(ask({ origin: 'http://localhost:3000' }, { allowedOrigins: ['http://localhost:3000'] })).toBe('in');
    expect(ask({ host: 'box.lan' }, { allowedHosts: ['box.lan'] })).toBe('in');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', undefined, 'application/jsonp']) {
      expect(ask({ 'content-type': type, 'content-length': '2' })).toBe(415);
      expect(ask({ 'content-type': type, 'transfer-encoding': 'chunked' })).toBe(415);
    }
    // What has no body has no type: so the SDKs cancel a response.
    expect(ask({ 'content-type': undefined })).toBe('in');
    expect(ask({ 'content-type': undefined, 'content-length': '0' })).toBe('in');
  });

  it('wants the token, whole', () => {
    const options = { host: '0.0.0.0', isKnown: knows('sesame') };
    expect(ask({ host: 'box.lan', authorization: 'Bearer sesame' }, options)).toBe('in');
    for (const authorization of [undefined, 'Bearer sesam', 'Bearer sesame2', 'sesame', 'Bearer ']) {
      expect(ask({ authorization }, options)).toBe(401);
    }
  });

  it('takes the scheme of the token in any case', () => {
    const options = { isKnown: knows('Sesame') };
    for (const authorization of ['bearer Sesame', 'BEARER Sesame', 'Bearer  Sesame']) {
      expect(ask({ authorization }, options)).toBe('in');
    }
    for (const authorization of ['Bearer sesame', 'BearerSesame', 'Basic Sesame', 'x bearer Sesame']) {
      expect(ask({ authorization }, options)).toBe(401);
    }
  });

  it('looks at the authority of a target that is a whole URL', () => {
    expect(ask({}, {}, 'http://127.0.0.1:18080/v1/responses')).toBe('in');
    expect(ask({}, {}, 'HTTP://LOCALHOST/v1/responses')).toBe('in');
    expect(ask({}, {}, 'http://evil.example/v1/responses')).toBe(403);
    expect(ask({}, {}, 'http://127.0.0.1@evil.example:80/v1/responses')).toBe(403);
    expect(ask({ host: 'evil.example' }, {}, 'http://127.0.0.1/v1/responses')).toBe(403);
    expect(ask({}, {}, '/v1/responses?next=http://evil.example')).toBe('in');
  });

  it('refuses a key in the address', () => {
    for (const query of ['api_key=x', 'a=1&key=x', 'access_token=x', 'api%5Fkey=x', 'a=%26&%6Bey=x', 'x-api-key=x']) {
      expect(ask({}, {}, `/v1/responses?${query}`)).toBe(400);
    }
    expect(ask({}, {}, '/v1/responses?monkey=x')).toBe('in');
  });
});

describe('turn seal', () => {
  const seal = createTurnStateSigner('secret');

  it('gives back what it sealed, in visible ASCII', () => {
    for (const state of [{ upstream: 'a' }, { upstream: 'a', own: 'ts-1 "ü"' }]) {
      const token = seal.seal(state);
      expect(token).toMatch(/^[\x21-\x7e]+$/);
      expect(seal.open(token)).toEqual(state);
      expect(createTurnStateSigner('secret').open(token)).toEqual(state);
    }
  });

  it('opens nothing else', () => {
    const token = seal.seal({ upstream: 'a' });
    const [prefix, payload, signature] = token.split('.');
    const forged = Buffer.from('{"u":"b"}').toString('base64url');
    const others = [
      undefined,
      '',
      'ts-1',
      `${prefix}.${forged}.${signature}`,
      `${prefix}.${payload}.`,
      `${token}.x`,
      token.slice(0, -1),
      'x'.repeat(100_000),
    ];
    for (const other of others) expect(seal.open(other)).toBeUndefined();
    expect(createTurnStateSigner('other').open(token)).toBeUndefined();
  });
});

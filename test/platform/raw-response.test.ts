import { expect, test } from 'vitest';
import { rawResponse } from '../../packages/client/src/platform/raw-response.ts';

test('a raw response says its length in bytes, and closes its connection', () => {
  const headers = [
    ['Content-Type', 'application/json'],
    ['Content-Length', '1'],
    ['Connection', 'keep-alive'],
    ['x-name', 'é'],
  ] as const;
  expect(rawResponse(403, headers, '{"a":"é"}')).toEqual(
    Buffer.concat([
      Buffer.from('HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nx-name: é\r\n', 'latin1'),
      Buffer.from('content-length: 10\r\nconnection: close\r\n\r\n{"a":"é"}'),
    ]),
  );
});

test('one with status 426 says what would be accepted, and a status without a name has none', () => {
  expect(String(rawResponse(426, []))).toBe(
    'HTTP/1.1 426 Upgrade Required\r\nupgrade: HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  );
  expect(String(rawResponse(499, [], Uint8Array.of(65)))).toBe(
    'HTTP/1.1 499 \r\ncontent-length: 1\r\nconnection: close\r\n\r\nA',
  );
});

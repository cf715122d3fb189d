import { STATUS_CODES } from './node-http.ts';

/**
 * A whole HTTP/1.1 response as bytes, the last one on its connection: for a socket that node:http has given up, after an
 * `Upgrade` or a request that it cannot parse. The body is sent in one piece, so its length is told anew.
 */
export function rawResponse(
  status: number,
  headers: Iterable<readonly [name: string, value: string]>,
  body: string | Uint8Array = '',
): Buffer {
  const bytes = Buffer.from(body);
  const kept = [...headers].filter(([name]) => !/^(content-length|connection|upgrade)$/i.test(name));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...kept.map(([name, value]) => `${name}: ${value}`),
    // RFC 9110, section 15.5.22: 426 has to say what would be accepted.
    ...(status === 426 ? ['upgrade: HTTP/1.1'] : []),
    `content-length: ${bytes.length}`,
    'connection: close',
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

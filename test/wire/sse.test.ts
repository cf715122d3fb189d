import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseFramer } from '../../packages/wire/src/sse/framer.ts';
import { Utf8Stream } from '../../packages/wire/src/sse/utf8.ts';
import { createDecoder } from '../../packages/wire/src/index.ts';
import { chatBody, chunk, cut, cutAt } from './helpers.ts';
import { completed, created, done, failure, message, openMessage, readOpen, text } from './rules.ts';

const utf8 = new TextEncoder();

/** The data of every event in a byte stream, which is then closed. */
function framed(chunks: readonly Uint8Array[], limit = 1_000_000): { data: string[]; overflow: boolean } {
  const data: string[] = [];
  const sink = {
    ended: false,
    onData: (one: string) => void data.push(one),
    onOverflow: () => void (sink.ended = true),
  };
  const framer = new SseFramer(sink, limit);
  const bytes = new Utf8Stream();
  for (const one of chunks) framer.push(bytes.decode(one));
  framer.push(bytes.flush());
  if (!sink.ended) framer.finish();
  return { data, overflow: sink.ended };
}

/** The same for text, at the chunk sizes that cut every character and every line end. */
function dataOf(stream: string | Uint8Array): string[] {
  const bytes = typeof stream === 'string' ? utf8.encode(stream) : stream;
  const whole = framed([bytes]);
  for (const size of [1, 2, 3, 7]) expect(framed(cut(bytes, size))).toEqual(whole);
  expect(whole.overflow).toBe(false);
  return whole.data;
}

describe('2 framing', () => {
  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('2 lines end in %s', (_name, end) => {
    expect(dataOf(`data: a${end}${end}data: b${end}data: c${end}${end}`)).toEqual(['a', 'b\nc']);
  });

  test('2 line ends may be mixed in one stream', () => {
    expect(dataOf('data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\rdata: e\n\n')).toEqual(['a\nb\nc', 'd', 'e']);
  });

  test('2 CR LF is one line end wherever it is cut, CR CR is two', () => {
    expect(framed(['data: a\r', '\ndata: b\r', '\n\r', '\n'].map((one) => utf8.encode(one))).data).toEqual(['a\nb']);
    expect(framed(['data: a\r', '\rdata: b\r', '', '\r'].map((one) => utf8.encode(one))).data).toEqual(['a', 'b']);
  });

  test('2 an event that ends in a bare CR is told before the next byte comes', () => {
    const decoder = createDecoder('chat');
    const body = chatBody(chunk({ content: 'hi' }, 'stop')).replaceAll('\n', '\r');
    expect(decoder.push(utf8.encode(body)).at(-1)?.type).toBe('completed');
  });

  test('2 data lines are joined with LF', () => {
    expect(dataOf('data: a\ndata: b\ndata:\ndata: c\n\n')).toEqual(['a\nb\n\nc']);
  });

  test('2 an event may spread its JSON over data lines', () => {
    const body = 'data: {"choices":[{"index":0,\ndata: "delta":{"content":"hi"},\ndata: "finish_reason":"stop"}]}\n\n';
    expect(readOpen('chat', body).events).toEqual([
      created(),
      openMessage(),
      text('hi'),
      done(message('hi')),
      completed({ finish_reason: 'stop' }),
    ]);
  });

  test('2 one space after the colon is removed, no more', () => {
    expect(dataOf('data:a\n\ndata: b\n\ndata:  c \n\ndata:\td\n\n')).toEqual(['a', 'b', ' c ', '\td']);
  });

  test('2 a line that is data alone is an empty line of data', () => {
    expect(dataOf('data\n\ndata:\n\ndata\ndata\n\n')).toEqual(['', '', '\n']);
  });

  test('2 other fields, and names that only begin like it, are no data', () => {
    expect(dataOf('event: x\nid: 1\nretry: 5\ndatax: no\ndata x\n data: no\nDATA: no\nnothing\ndata: yes\n\n')).toEqual(
      ['yes'],
    );
  });

  test('2 an event without data is not dispatched', () => {
    expect(dataOf('event: ping\n\nid: 3\n\n\n\n: hi\n\ndata: a\n\n')).toEqual(['a']);
  });

  test('2 comments are passed over, between and inside events', () => {
    expect(dataOf(': hi\n:\n\n:data: no\ndata: a\n: keep-alive\ndata: b\n\n: bye\n\n')).toEqual(['a\nb']);
  });

  test('2 a BOM is skipped, at the beginning only', () => {
    expect(dataOf('\uFEFFdata: a\n\n')).toEqual(['a']);
    expect(dataOf('\uFEFF\uFEFFdata: a\n\ndata: b\n\n')).toEqual(['b']);
    expect(dataOf('data: \uFEFFa\n\n\uFEFFdata: b\n\n')).toEqual(['\uFEFFa']);
  });

  test('2 the last event is dispatched at close without its blank line', () => {
    expect(dataOf('data: a\n\ndata: b\n')).toEqual(['a', 'b']);
    expect(dataOf('data: a\ndata: b\r')).toEqual(['a\nb']);
  });

  test('2 the last event is dispatched at close without its line end', () => {
    expect(dataOf('data: a\n\ndata: b')).toEqual(['a', 'b']);
    expect(dataOf('data: a\ndata: b')).toEqual(['a\nb']);
    expect(dataOf('data: a\n: com')).toEqual(['a']);
    expect(dataOf('data')).toEqual(['']);
    expect(dataOf('dat')).toEqual([]);
    expect(dataOf('')).toEqual([]);
  });

  test('2 NUL and other control characters are text', () => {
    expect(dataOf('data: a\u0000b\u000B\u2028c\n\n')).toEqual(['a\u0000b\u000B\u2028c']);
  });

  test('2 any split of the same bytes gives the same events', () => {
    const line = fc.constantFrom(
      'data: a',
      'data:ü',
      'data',
      ': c',
      'event: x',
      '',
      '\uFEFF',
      'data: \u{1F600}',
      'id: 1',
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const stream = fc.array(fc.tuple(line, lineEnd), { maxLength: 12 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200), { maxLength: 8 }), (lines, places) => {
        const bytes = utf8.encode(lines.flat().join(''));
        expect(framed(cutAt(bytes, places))).toEqual(framed([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});

describe('2 invalid UTF-8 becomes U+FFFD', () => {
  const decoded = (...chunks: readonly number[][]): string => {
    const stream = new Utf8Stream();
    return chunks.map((one) => stream.decode(Uint8Array.from(one))).join('') + stream.flush();
  };

  test('2 in an event, the text around it stays', () => {
    const bytes = Uint8Array.from([
      ...utf8.encode('data: a'),
      0xff,
      ...utf8.encode('b\n\ndata: c'),
      0xc3,
      ...utf8.encode('\n\n'),
    ]);
    expect(dataOf(bytes)).toEqual(['a\uFFFDb', 'c\uFFFD']);
  });

  test('2 an unfinished character at the close is one', () => {
    expect(dataOf(Uint8Array.from([...utf8.encode('data: a'), 0xf0, 0x9f]))).toEqual(['a\uFFFD']);
  });

  test('2 a character cut anywhere is whole', () => {
    expect(decoded([0xf0], [0x9f], [0x98], [0x80])).toBe('\u{1F600}');
    expect(decoded([0x61, 0xe2, 0x82], [0xac, 0x62])).toBe('a€b');
    expect(decoded([0xc3], [], [0xbc])).toBe('ü');
  });

  test('2 the caller may use its buffer again: nothing of it is kept but copies', () => {
    const stream = new Utf8Stream();
    const buffer = Uint8Array.of(0x61, 0xe2, 0x82);
    let read = stream.decode(buffer);
    buffer.fill(0x7a);
    read += stream.decode(Uint8Array.of(0xac)) + stream.flush();
    expect(read).toBe('a€');
  });

  test('2 a character that cannot become valid is told with the next bytes at the latest', () => {
    expect(decoded([0x61, 0xc0], [0x62])).toBe('a\uFFFDb');
    expect(decoded([0xed, 0xa0], [0x62])).toBe('\uFFFD\uFFFDb');
    expect(decoded([0xf5], [0xc3], [0xbc])).toBe('\uFFFDü');
  });

  test('2 any bytes, cut anywhere, read as the WHATWG decoder reads the whole', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 10 }), (list, places) => {
        const bytes = Uint8Array.from(list);
        const stream = new Utf8Stream();
        const ours =
          cutAt(bytes, places)
            .map((one) => stream.decode(one))
            .join('') + stream.flush();
        expect(ours).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('2 an event over maxEventBytes is protocol', () => {
  const said = chatBody(chunk({ content: 'hi' }));
  const flushed = [created(), openMessage(), text('hi'), done(message('hi', 'incomplete'))];
  const options = { maxEventBytes: 1000 };
  const expected = { events: flushed, error: failure('protocol', 'never'), skipped: 0, phase: 'ended' };

  test.each([
    ['one long line', `data: ${'x'.repeat(5000)}\n\n`],
    ['one long line without its end', `data: ${'x'.repeat(5000)}`],
    ['many short lines', 'data: x\n'.repeat(1000) + '\n'],
    ['a long field that is no data', `event: ${'x'.repeat(5000)}\n\n`],
    ['empty lines of data', 'data\n'.repeat(5000)],
  ])('2 %s', (_name, long) => {
    expect(readOpen('chat', said + long, options)).toEqual(expected);
  });

  test('2 what is well under it is read, and the bound is of one event, not of the stream', () => {
    const words = 'w'.repeat(800);
    const body = chatBody(...Array.from({ length: 20 }, () => chunk({ content: words })), chunk({}, 'stop'));
    expect(readOpen('chat', body, options).events.at(-2)).toEqual(done(message(words.repeat(20))));
  });

  test('2 comments are of no event: a stream of them is bounded by nothing and kept by nobody', () => {
    expect(readOpen('chat', `${said}:${'x'.repeat(5000)}\n\n${chatBody(chunk({}, 'stop'))}`, options)).toMatchObject({
      events: [...flushed.slice(0, -1), done(message('hi')), completed({ finish_reason: 'stop' })],
      phase: 'ended',
    });
  });

  test('2 the default is 16 MiB', () => {
    const decoder = createDecoder('responses');
    const piece = utf8.encode('x'.repeat(1024 * 1024));
    decoder.push(utf8.encode('data: '));
    for (let mebibytes = 0; mebibytes < 15; mebibytes++) decoder.push(piece);
    expect(decoder.phase).toBe('streaming');
    for (let mebibytes = 15; mebibytes < 17; mebibytes++) decoder.push(piece);
    expect([decoder.phase, decoder.failure?.kind]).toEqual(['ended', 'protocol']);
  });

  test.each(['data: ', ':', 'event: ', '', '{', '<html>'])(
    '2 100 MB without a line end, begun with %j, are read in bounded memory',
    (begin) => {
      const decoder = createDecoder('chat', { maxEventBytes: 1024 * 1024 });
      const piece = utf8.encode('x'.repeat(64 * 1024));
      decoder.push(utf8.encode(begin));
      const before = process.memoryUsage().heapUsed;
      let most = 0;
      let endedAt = 0;
      for (let pushed = 0; pushed < 100_000_000; pushed += piece.length) {
        decoder.push(piece);
        if (decoder.phase === 'ended') endedAt ||= pushed;
        if (pushed % (64 * piece.length) === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
      }
      expect(most).toBeLessThan(60_000_000);
      if (begin === ':') expect(decoder.phase).toBe('streaming');
      else {
        expect(decoder.failure?.toJSON()).toEqual(failure('protocol', 'never', { replay_safe: true }));
        expect(endedAt).toBeLessThan(1_200_000);
      }
    },
  );
});

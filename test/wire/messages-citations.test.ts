import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { toChatRequest } from '../../packages/wire/src/chat/request.ts';
import { citedBlocks } from '../../packages/wire/src/messages/citations.ts';
import { encodeMessagesBody, encodeMessagesSse } from '../../packages/wire/src/messages/encode.ts';
import { fromMessagesRequest } from '../../packages/wire/src/messages/request-parse.ts';
import { toMessagesRequest } from '../../packages/wire/src/messages/request.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { toResponsesRequest } from '../../packages/wire/src/responses/request.ts';
import { begin, body, citation, decoded, finish, last, start, stop, textDelta, texts } from './messages-support.ts';

/** What a text is from, on its way from a Messages server to every client and back. */
const page = {
  ...{ type: 'web_search_result_location', url: 'https://a.test', title: 'A' },
  ...{ cited_text: 'q', encrypted_index: 'e' },
};
const untitled = { ...page, title: null, encrypted_index: 'f' };
const file = { type: 'char_location', document_index: 0, start_char_index: 1, end_char_index: 2, cited_text: 'z' };
const plain = (text: string): JsonObject => ({ type: 'text', text });
const cited = (text: string, ...citations: object[]): JsonObject => ({ type: 'text', text, citations });

const sent = body(
  ...[
    begin(),
    ...texts(0, 'See '),
    start(1, plain('')),
    citation(1, page),
    citation(1, untitled),
    textDelta(1, 'this'),
  ],
  ...[stop(1), ...texts(2, ' and '), start(3, plain('')), textDelta(3, 'that.'), citation(3, page), stop(3)],
  ...[finish(), last],
);

function answer(stream: string): Item[] {
  return decoded(stream).events.flatMap((event): Item[] => (event.type === 'output_item.done' ? [event.item] : []));
}

function writtenBack(items: readonly Item[]): unknown {
  const hello = { type: 'message', role: 'user', content: 'hi' } as const;
  return (toMessagesRequest({ input: [hello, ...items] }).body['messages'] as JsonObject[]).slice(1);
}

describe('M11 U5 citations of an answer', () => {
  test('go back to a Messages server in the blocks that they are of', () => {
    const content = [plain('See '), cited('this', page, untitled), plain(' and '), cited('that.', page)];
    expect(writtenBack(answer(sent))).toEqual([{ role: 'assistant', content }]);
  });

  test('of a document go back with the text', () => {
    const stream = body(begin(), start(0, cited('', file)), textDelta(0, 'So.'), stop(0), finish(), last);
    expect(writtenBack(answer(stream))).toEqual([{ role: 'assistant', content: [cited('So.', file)] }]);
  });

  test('that another wire gave have no form here', () => {
    const annotations = [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 2 }];
    const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So.', annotations }] };
    expect(writtenBack([said as unknown as Item])).toEqual([{ role: 'assistant', content: [plain('So.')] }]);
  });

  test('cut a text into blocks of which none is blank, whatever places they name, and lose nothing', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'ü', '😀'), minLength: 1, maxLength: 12 });
    const place = fc.oneof(fc.integer({ min: -2, max: 14 }), fc.constant(undefined));
    const annotation = fc.record({ start_index: place, end_index: place, encrypted_index: fc.constantFrom('1', '2') });
    fc.assert(
      fc.property(text, fc.array(annotation, { maxLength: 4 }), (said, list) => {
        fc.pre(said.trim() !== '');
        const blocks = citedBlocks(
          said,
          list.map((one) => ({ ...one, type: 'url_citation', url: 'u' })),
        );
        expect(blocks.map(({ text: piece }) => piece).join('')).toBe(said);
        expect(blocks.filter(({ text: piece }) => String(piece).trim() === '')).toEqual([]);
        const found = blocks.flatMap(({ citations = [] }) => citations as JsonObject[]);
        expect(found.map((one) => one['encrypted_index']).sort()).toEqual(
          list.map((one) => one.encrypted_index).sort(),
        );
      }),
    );
  });
});

describe('N4 N7 citations for a Messages client', () => {
  const events = decoded(sent).events;

  test('are deltas at the end of its text block', () => {
    const types = encodeMessagesSse(events).match(/"type":"(text_delta|citations_delta|content_block_stop)"/g);
    expect(types?.map((type) => type.slice(8, -1))).toEqual([
      ...['text_delta', 'text_delta', 'text_delta', 'text_delta'],
      ...['citations_delta', 'citations_delta', 'citations_delta', 'content_block_stop'],
    ]);
    const again = answer(encodeMessagesSse(events));
    expect(writtenBack(again)).toEqual([
      { role: 'assistant', content: [cited('See this and that.', page, untitled, page)] },
    ]);
  });

  test('stand in one body, too', () => {
    expect(encodeMessagesBody(events)['content']).toEqual([cited('See this and that.', page, untitled, page)]);
  });
});

describe('Q5 citations in the history of a Messages client', () => {
  const content = [plain('See '), cited('this', page, file)];
  const { request } = fromMessagesRequest({
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content },
      { role: 'user', content: 'go' },
    ],
  });

  test('are the same at a Messages server', () => {
    expect((toMessagesRequest(request).body['messages'] as JsonObject[])[1]).toEqual({ role: 'assistant', content });
  });

  test('are annotations at a Responses server, with what it knows of them, and left out at a chat server', () => {
    const annotation = { type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 4 };
    const [, said] = toResponsesRequest(request).body['input'] as JsonObject[];
    expect(said?.['content']).toEqual([
      { type: 'output_text', text: 'See ', annotations: [] },
      { type: 'output_text', text: 'this', annotations: [annotation] },
    ]);
    expect(JSON.stringify(toChatRequest(request).body)).not.toContain('https://a.test');
  });
});

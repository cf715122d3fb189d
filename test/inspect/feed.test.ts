import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { Feed } from '../../packages/bridge/src/inspect/feed.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** A page that takes what is written, or does not. */
class Page extends EventEmitter {
  readonly written: string[] = [];
  takes = true;
  destroyed = false;
  ended = false;
  head: unknown;
  writeHead(_status: number, head: unknown): void {
    this.head = head;
  }
  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }
  end(): void {
    this.ended = true;
    this.emit('close');
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function feeding(messages: string[]) {
  const page = new Page();
  const clock = manualClock();
  const source = { ended: false, pull: () => messages.shift() };
  let closed = 0;
  const feed = new Feed(page as unknown as ServerResponse, clock, source, () => closed++);
  const told = (): string[] =>
    page.written.filter((text) => text.startsWith('data: ')).map((text) => text.slice(6, -2));
  return { page, clock, source, feed, told, closed: () => closed };
}

it('a page is told at once what there is, then of changes at most four times a second', () => {
  const messages = ['one', 'two'];
  const { clock, feed, told } = feeding(messages);
  clock.advance(0);
  expect(told()).toEqual(['one', 'two']);
  messages.push('three');
  feed.wake();
  feed.wake();
  clock.advance(249);
  expect(told()).toEqual(['one', 'two']);
  clock.advance(1);
  expect(told()).toEqual(['one', 'two', 'three']);
});

it('nothing is made for a page that takes nothing, which is let go in the end', () => {
  const messages = ['one', 'two', 'three'];
  const { page, clock, feed, told, closed } = feeding(messages);
  page.takes = false;
  clock.advance(0);
  feed.wake();
  clock.advance(10_000);
  expect([told(), messages]).toEqual([['one'], ['two', 'three']]);
  page.emit('drain');
  clock.advance(29_999);
  expect([told(), page.destroyed]).toEqual([['one', 'two'], false]);
  clock.advance(1);
  expect([page.destroyed, closed(), clock.pending]).toEqual([true, 1, 0]);
});

it('a page that is told nothing sees that its server is there, and the stream ends with what it tells', () => {
  const { page, clock, source, feed, closed } = feeding([]);
  clock.advance(30_000);
  expect(page.written).toEqual(['retry: 1000\n\n', ': alive\n\n', ': alive\n\n']);
  source.ended = true;
  feed.wake();
  clock.advance(250);
  expect([page.ended, closed(), clock.pending]).toEqual([true, 1, 0]);
});

import { SseFramer } from '@turnwire/wire/internal/sse/framer';
import { after, localNow } from './clock.ts';

/** How the page stands with the bridge. */
export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** It is tried again at that time of this browser's clock. */
  | { readonly state: 'lost'; readonly why: string; readonly retryAt: number }
  /** What was followed came to its end. */
  | { readonly state: 'over' };

export interface Followed {
  /** Tries now instead of later. */
  retry(): void;
  close(): void;
}

export interface FollowOptions<Message> {
  readonly onMessage: (message: Message) => void;
  readonly onLink: (link: Link) => void;
  /** Asked at the end of a stream: true when nothing more will come. Default: something always will. */
  readonly isOver?: () => boolean;
}

/** Waits between tries; the last one again and again. */
const WAITS_MS = [500, 1000, 2000, 4000, 8000];
/** Most of one event, in UTF-16 code units: the bridge cuts its messages at about 1 MB. */
const MAX_EVENT = 64 * 1024 * 1024;

const words: Readonly<Record<number, string>> = {
  401: 'The bridge does not know this page any more. Open the link that it printed when it started.',
  403: 'The bridge does not know this page any more. Open the link that it printed when it started.',
  404: 'The bridge does not keep this exchange any more.',
};

/** Reads a stream of messages for as long as it is wanted; what is lost is tried again, and told. */
export function follow<Message>(url: string, options: FollowOptions<Message>): Followed {
  const stop = new AbortController();
  let wake: () => void = () => undefined;
  const isClosed = (): boolean => stop.signal.aborted;
  void keepReading();
  return {
    retry: () => wake(),
    close: () => {
      stop.abort();
      wake();
    },
  };

  async function keepReading(): Promise<void> {
    let failures = 0;
    for (;;) {
      options.onLink({ state: 'connecting' });
      const why = await readOnce(() => (failures = 0));
      if (isClosed()) return;
      if (options.isOver?.() === true) {
        options.onLink({ state: 'over' });
        return;
      }
      const ms = WAITS_MS[Math.min(failures++, WAITS_MS.length - 1)] ?? 0;
      options.onLink({ state: 'lost', why, retryAt: localNow() + ms });
      await pause(ms);
      if (isClosed()) return;
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Why it ended. */
  async function readOnce(onLive: () => void): Promise<string> {
    try {
      const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: stop.signal });
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return words[response.status] ?? `The bridge answered with ${response.status}.`;
      }
      options.onLink({ state: 'live' });
      await readEvents(response.body, (data) => {
        onLive();
        options.onMessage(JSON.parse(data) as Message);
      });
      return 'The bridge closed the connection.';
    } catch {
      return 'The bridge cannot be reached.';
    }
  }
}

async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onData: (data: string) => void,
): Promise<void> {
  const sink = {
    ended: false,
    onData,
    onOverflow: () => {
      throw new Error('an event of the bridge is too long');
    },
  };
  const framer = new SseFramer(sink, MAX_EVENT);
  for await (const text of body.pipeThrough(new TextDecoderStream())) framer.push(text);
}

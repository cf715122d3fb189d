import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isObject, parseJson, stringOf, type JsonObject } from '../../packages/wire/src/base/json.ts';
import { protocols } from '../../packages/wire/src/index.ts';
import { folds, type Fold } from './folds.ts';
import { bodyOf, type Plan } from './plan.ts';
import type { Call } from './script.ts';

/** What came of a request. */
export interface Seen {
  /** `completed`, `left`, `error:CODE`, `http:STATUS:CODE`, another end of the wire, or `no end`. */
  readonly end: string;
  readonly text: string;
  readonly calls: readonly Call[];
  readonly responseId: string | undefined;
  readonly problems: readonly string[];
  readonly events: number;
  /** It was refused, since servers ended the connections that it was sent on, before they answered. */
  readonly unlucky?: boolean;
}

/** An answer that has not ended by then hangs. */
const PATIENCE_MS = 300_000;

/** Node ends an idle connection a second before the bridge says that it will. */
const agent = new Agent({ keepAlive: true });

/** Ends the connections that nobody uses. */
export function closeIdle(): void {
  agent.destroy();
}

export async function ask(url: string, plan: Plan, previousId: string | undefined): Promise<Seen> {
  const fold = folds[plan.wire]();
  const ends = new AbortController();
  const late = sleep(PATIENCE_MS, 'late' as const, { signal: ends.signal }).catch(() => 'late' as const);
  const answer =
    plan.transport === 'socket' ? askSocket(url, plan, previousId, fold) : askHttp(url, plan, previousId, fold);
  const seen = await Promise.race([answer, late]);
  ends.abort();
  if (seen !== 'late') return seen;
  return { ...seenOf(fold, 'no end', 0), problems: [...fold.problems, `no end within ${PATIENCE_MS / 1000} s`] };
}

function seenOf(fold: Fold, end: string, events: number, more: readonly string[] = []): Seen {
  const { text, calls, responseId, problems } = fold;
  return { end, text, calls, responseId, events, problems: [...problems, ...more] };
}

async function askHttp(url: string, plan: Plan, previousId: string | undefined, fold: Fold): Promise<Seen> {
  const { path, headers } = protocols[plan.wire];
  const request = httpRequest(`${url}/v1/${path}`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  request.end(JSON.stringify(bodyOf(plan, previousId)));
  const { behaviour } = plan;
  const leavesEarly = plan.transport === 'json' && behaviour.does === 'leave';
  if (leavesEarly) setTimeout(() => request.destroy(), 50);
  const response = await responseTo(request);
  if (response === undefined) return seenOf(fold, leavesEarly ? 'left' : 'no end', 0, leavesEarly ? [] : ['no answer']);
  if (response.statusCode !== 200) return refused(fold, response);
  if (plan.transport === 'json') return readWhole(fold, response);
  const read = new Reading(fold);
  const how = await read.until(response, behaviour);
  if (behaviour.does === 'return' && how === 'stopped' && fold.responseId !== undefined) {
    await sleep(behaviour.ms);
    return comeBack(url, fold, read);
  }
  if (how === 'stopped') return seenOf(fold, fold.end ?? 'left', read.events);
  // Node drops what it had of a body that breaks off: a client that paused may not see the error before the break, which says the same.
  const isCut = how === 'broken' && behaviour.does === 'pause' && !protocols[plan.wire].endsFailures;
  return seenOf(fold, fold.end ?? (isCut ? 'error:cut' : 'no end'), read.events);
}

/** Reads on behind the last event that was read. */
async function comeBack(url: string, fold: Fold, read: Reading): Promise<Seen> {
  const { responseId, sequence } = fold;
  const after = sequence === undefined ? '' : `&starting_after=${sequence}`;
  const request = httpRequest(`${url}/v1/responses/${responseId ?? ''}?stream=true${after}`, { agent });
  request.end();
  const response = await responseTo(request);
  if (response === undefined) return seenOf(fold, 'no end', read.events, ['no answer to who came back']);
  if (response.statusCode !== 200) return refused(fold, response);
  await read.until(response, { does: 'read' });
  return seenOf(fold, fold.end ?? 'no end', read.events);
}

async function responseTo(request: ClientRequest): Promise<IncomingMessage | undefined> {
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  } catch {
    return undefined;
  } finally {
    request.on('error', () => undefined);
  }
}

async function bodyText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const piece of response) text += String(piece);
  } catch {
    return `${text} (cut)`;
  }
  return text;
}

async function refused(fold: Fold, response: IncomingMessage): Promise<Seen> {
  const body = parseJson(await bodyText(response));
  const error = isObject(body) && isObject(body['error']) ? body['error'] : undefined;
  const code = stringOf(error?.['code']) ?? stringOf(error?.['type']);
  const message = stringOf(error?.['message']);
  const seen = seenOf(
    fold,
    `http:${response.statusCode ?? 0}:${code ?? ''}`,
    0,
    message === undefined ? ['a refusal without a message'] : [],
  );
  return { ...seen, unlucky: message?.includes('the server closed the connection') === true };
}

async function readWhole(fold: Fold, response: IncomingMessage): Promise<Seen> {
  const text = await bodyText(response);
  const body = parseJson(text);
  if (isObject(body)) fold.whole(body);
  return seenOf(fold, fold.end ?? 'no end', 1, isObject(body) ? [] : [`no JSON: ${text.slice(-200)}`]);
}

/** Reads events out of a body, split as plainly as can be. */
class Reading {
  readonly #fold: Fold;
  #rest = '';
  events = 0;

  constructor(fold: Fold) {
    this.#fold = fold;
  }

  /** `stopped`: the client went away, as its behaviour has it; `over`: the body ended; `broken`: it broke off. */
  async until(response: IncomingMessage, behaviour: Plan['behaviour']): Promise<'over' | 'stopped' | 'broken'> {
    const stopsAt = behaviour.does === 'read' ? Infinity : this.events + behaviour.after;
    let paused = false;
    this.#rest = '';
    response.setEncoding('utf8');
    try {
      for await (const piece of response) {
        this.#feed(String(piece));
        if (this.events < stopsAt || this.#fold.end !== undefined || paused) continue;
        if (behaviour.does === 'pause') {
          paused = true;
          await sleep(behaviour.ms);
        } else {
          response.destroy();
          return 'stopped';
        }
      }
    } catch {
      return 'broken';
    }
    return 'over';
  }

  #feed(piece: string): void {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const line = block.split('\n').find((one) => one.startsWith('data: '));
      if (line === undefined) continue;
      this.events++;
      this.#fold.take(eventOf(line.slice('data: '.length)));
    }
  }
}

function eventOf(data: string): JsonObject {
  return data === '[DONE]' ? { type: data } : (JSON.parse(data) as JsonObject);
}

async function askSocket(url: string, plan: Plan, previousId: string | undefined, fold: Fold): Promise<Seen> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`);
  const { behaviour } = plan;
  const stopsAt = behaviour.does === 'read' ? Infinity : behaviour.after;
  let events = 0;
  const { promise: over, resolve } = Promise.withResolvers<'left' | 'no end'>();
  socket.on('open', () => socket.send(JSON.stringify({ type: 'response.create', ...bodyOf(plan, previousId) })));
  socket.on('message', (data: Buffer) => {
    events++;
    fold.take(eventOf(data.toString()));
    if (fold.end !== undefined) resolve('no end');
    else if (events === Math.max(1, stopsAt)) stop();
  });
  socket.on('error', () => resolve('no end'));
  socket.on('close', () => resolve('no end'));
  const stop = (): void => {
    if (behaviour.does === 'pause') {
      socket.pause();
      setTimeout(() => socket.resume(), behaviour.ms);
    } else {
      socket.terminate();
      resolve('left');
    }
  };
  const how = await over;
  socket.terminate();
  return seenOf(fold, fold.end ?? how, events);
}

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createBridge, type Bridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { startMock, type MockOptions, type MockServer } from '../../packages/testing/src/index.ts';
import { validateOrder, type OrderViolation } from '../../packages/wire/src/responses/validate.ts';

export type Json = Record<string, unknown>;

/** A bridge in front of mocks, on free loopback ports. */
export interface Rig extends AsyncDisposable {
  readonly bridge: Bridge;
  readonly mocks: readonly MockServer[];
  readonly mock: MockServer;
}

export async function startRig(
  mocks: MockOptions | readonly MockOptions[],
  options: Partial<BridgeOptions> = {},
): Promise<Rig> {
  const list: readonly MockOptions[] = Array.isArray(mocks)
    ? (mocks as readonly MockOptions[])
    : [mocks as MockOptions];
  const started = await Promise.all(list.map((one) => startMock(one)));
  const bridge = createBridge({
    upstreams: started.map((mock) => mock.baseUrl),
    port: 0,
    requestMaxRetries: 0,
    drainTimeoutMs: 0,
    ...options,
  });
  await bridge.listen();
  return {
    bridge,
    mocks: started,
    mock: started[0]!,
    [Symbol.asyncDispose]: async () => {
      await bridge.close();
      await Promise.all(started.map((mock) => mock.close()));
    },
  };
}

export function post(
  bridge: Pick<Bridge, 'url'>,
  path: string,
  body: unknown,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(bridge.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
}

/** The data events of an SSE text; the sentinel as `{type: '[DONE]'}`. */
export function sseEvents(text: string): Json[] {
  return text
    .split('\n\n')
    .flatMap((block) => block.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => line.slice('data: '.length))
    .map((data) => (data === '[DONE]' ? { type: '[DONE]' } : (JSON.parse(data) as Json)));
}

/** How one answer ended, in a word or two: `completed`, `incomplete:REASON`, `failed:CODE`, `http:STATUS`. */
export interface Ended {
  readonly how: string;
  readonly text: string;
  readonly events: readonly Json[];
  readonly violations: readonly OrderViolation[];
  readonly body: Json | undefined;
}

export async function askSse(
  bridge: Pick<Bridge, 'url'>,
  body: Json,
  headers: Record<string, string> = {},
  finalOnly = false,
): Promise<Ended> {
  const response = await post(bridge, '/v1/responses', { model: 'm', stream: true, ...body }, { headers });
  const text = await response.text();
  if (response.status !== 200) return httpEnd(response.status, text);
  const events = sseEvents(text);
  return streamEnd(events, finalOnly);
}

export async function askJson(bridge: Pick<Bridge, 'url'>, body: Json): Promise<Ended> {
  const response = await post(bridge, '/v1/responses', { model: 'm', ...body });
  const text = await response.text();
  if (response.status !== 200) return httpEnd(response.status, text);
  const answer = JSON.parse(text) as Json;
  return { how: howOf(answer), text: textOf(answer), events: [], violations: [], body: answer };
}

/** One request on a socket of its own. */
export async function askSocket(bridge: Bridge, body: Json, headers: Record<string, string> = {}): Promise<Ended> {
  const socket = await openSocket(bridge, headers);
  try {
    return await askOn(socket, body);
  } finally {
    socket.terminate();
  }
}

export async function openSocket(
  bridge: Pick<Bridge, 'url'>,
  headers: Record<string, string> = {},
): Promise<WebSocket> {
  const socket = new WebSocket(bridge.url.replace('http', 'ws') + '/v1/responses', { headers });
  await once(socket, 'open');
  return socket;
}

export async function askOn(socket: WebSocket, body: Json): Promise<Ended> {
  const events: Json[] = [];
  const over = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const event = JSON.parse(data.toString()) as Json;
      events.push(event);
      if (/^(response\.(completed|failed|incomplete)|error)$/.test(String(event.type))) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.send(JSON.stringify({ type: 'response.create', model: 'm', ...body }));
  await over;
  socket.removeAllListeners('message');
  return streamEnd(events, false);
}

export function streamEnd(events: readonly Json[], finalOnly = false): Ended {
  const last = events.at(-1) ?? {};
  const violations = last.type === 'error' ? [] : validateOrder(events, { finalOnly });
  if (last.type === 'error') {
    const error = last.error as Json;
    return { how: `http:${String(last.status)}`, text: '', events, violations, body: error };
  }
  const response = (last.response ?? {}) as Json;
  return { how: howOf(response), text: textOf(response), events, violations, body: response };
}

function httpEnd(status: number, text: string): Ended {
  const body = JSON.parse(text) as Json;
  return { how: `http:${status}`, text: '', events: [], violations: [], body: body.error as Json };
}

function howOf(response: Json): string {
  if (response.status === 'failed') return `failed:${String((response.error as Json).code)}`;
  if (response.status === 'incomplete') return `incomplete:${String((response.incomplete_details as Json).reason)}`;
  return String(response.status);
}

/** All output text of a response, and its calls as `name(arguments)`. */
export function textOf(response: Json): string {
  const output = (response.output ?? []) as Json[];
  return output
    .flatMap((item) => {
      if (item.type === 'message' && Array.isArray(item.content))
        return (item.content as Json[]).map((part) => String(part.text ?? part.refusal));
      if (item.type === 'function_call') return [`${String(item.name)}(${String(item.arguments)})`];
      return [];
    })
    .join('|');
}

export async function askChat(bridge: Bridge, body: Json, stream = true): Promise<{ how: string; text: string }> {
  const messages = [{ role: 'user', content: 'hi' }];
  const response = await post(bridge, '/v1/chat/completions', { model: 'm', messages, stream, ...body });
  const { text, cut } = await readBody(response);
  if (response.status !== 200) return { how: `http:${response.status}`, text: '' };
  if (!stream) {
    const choice = ((JSON.parse(text) as Json).choices as Json[])[0]!;
    const message = choice.message as Json;
    const calls = ((message.tool_calls ?? []) as { function: Json }[]).map(
      (one) => `${String(one.function.name)}(${String(one.function.arguments)})`,
    );
    return { how: String(choice.finish_reason), text: [message.content, ...calls].filter(Boolean).join('|') };
  }
  const end = chatEnd(sseEvents(text));
  // A body is cut behind an error, and nowhere else.
  return cut === end.how.startsWith('error:') ? end : { ...end, how: `${end.how}, ${cut ? 'cut' : 'not cut'}` };
}

/** What came of a body, and whether it broke off. */
export async function readBody(response: Response): Promise<{ readonly text: string; readonly cut: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes as Uint8Array, { stream: true });
  } catch {
    return { text, cut: true };
  }
  return { text, cut: false };
}

interface ChatChoice {
  readonly delta: {
    content?: string | null;
    tool_calls?: { index: number; function: { name?: string; arguments?: string } }[];
  };
  readonly finish_reason: string | null;
}

function chatEnd(events: readonly Json[]): { how: string; text: string } {
  let how = 'nothing';
  let content = '';
  const calls: { name: string; arguments: string }[] = [];
  for (const event of events) {
    if (event.error !== undefined) return { how: `error:${String((event.error as Json).code)}`, text: content };
    const choice = ((event.choices ?? []) as ChatChoice[])[0];
    if (choice === undefined) continue;
    const { delta } = choice;
    content += delta.content ?? '';
    for (const call of delta.tool_calls ?? []) {
      const known = (calls[call.index] ??= { name: call.function.name ?? '', arguments: '' });
      known.arguments += call.function.arguments ?? '';
    }
    if (choice.finish_reason !== null) how = choice.finish_reason;
  }
  if (events.at(-1)?.type !== '[DONE]') how += ' without [DONE]';
  return {
    how,
    text: [content, ...calls.map((one) => `${one.name}(${one.arguments})`)].filter(Boolean).join('|'),
  };
}

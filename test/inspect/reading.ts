import type { ExchangeRow, ListMessage, RecordsMessage } from '../../packages/bridge/src/inspect/api.ts';
import type { Bridge } from '../../packages/bridge/src/index.ts';

export const page = [{ path: 'index.html', type: 'text/html; charset=utf-8', bytes: Buffer.from('<!doctype html>') }];
export const TOKEN = 'token-of-the-page';

/** Asks the inspector as its page does. */
export function inspect(
  { url }: Pick<Bridge, 'url'>,
  path: string,
  headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
): Promise<Response> {
  return fetch(`${url}/inspect/${path}`, { headers, redirect: 'manual' });
}

export async function rowsOf(bridge: Pick<Bridge, 'url'>): Promise<readonly ExchangeRow[]> {
  return ((await (await inspect(bridge, 'api/exchanges?once=1')).json()) as ListMessage).rows;
}

export async function recordsOf(bridge: Pick<Bridge, 'url'>, id: string): Promise<RecordsMessage> {
  return (await (await inspect(bridge, `api/exchanges/${id}?once=1`)).json()) as RecordsMessage;
}

/** The messages of a stream of the inspector; leaving the loop closes it. */
export async function* messagesOf<T>(bridge: Pick<Bridge, 'url'>, path: string): AsyncGenerator<T> {
  const { body } = await inspect(bridge, path);
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) if (block.startsWith('data: ')) yield JSON.parse(block.slice(6)) as T;
  }
}

/** The first row in the list, of now or later, that is as wanted. */
export async function rowOnce(
  bridge: Pick<Bridge, 'url'>,
  isWanted: (row: ExchangeRow) => boolean,
): Promise<{ readonly row: ExchangeRow; readonly now: number }> {
  for await (const { rows, now } of messagesOf<ListMessage>(bridge, 'api/exchanges')) {
    const row = rows.find(isWanted);
    if (row !== undefined) return { row, now };
  }
  throw new Error('the list ended');
}

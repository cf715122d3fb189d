import { visible } from '@turnwire/wire/internal/base/printable';
import { tenths } from '@turnwire/wire/internal/base/tenths';
import type { TapedExchange, TapeEnding } from '@turnwire/testing';
import { cleanExchange } from '@turnwire/testing/internal/tape/clean';
import { bytesOf, cutBlocks, joinBlocks, timeOf, type Block } from './blocks.ts';
import { findingsOf } from './findings-of.ts';
import { shrinkList } from './shrink-list.ts';

/** A piece of what came, or how much was left out between two pieces. */
export type EvidenceLine =
  | {
      /** Milliseconds since the request. */
      readonly ms: number;
      /** As text, with line ends and everything hidden written out; long ones are cut. */
      readonly text: string;
      /** Without this piece the finding would not be there. */
      readonly marked: boolean;
    }
  | { readonly left_out: number };

/** What was sent and what came, cut down to what shows a finding; without secrets. */
export interface Evidence {
  readonly request: { readonly method: string; readonly target: string; readonly body: string };
  /** Absent when nothing was answered. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly lines: readonly EvidenceLine[];
  readonly end: TapeEnding;
  readonly end_ms: number;
}

/** UTF-16 code units of a request that are shown, and of a line. */
const MAX_BODY = 3000;
const MAX_TEXT = 400;
/** Lines that are shown. */
const MAX_LINES = 14;
/** A longer answer is not searched for what shows the finding; in bytes. */
const MAX_SEARCHED = 64 * 1024;
const TRIES = 80;

/**
 * What of an exchange shows a finding.
 *
 * @param secrets - what is known to be secret in it, beside what can be recognised
 */
export async function evidenceOf(
  exchange: TapedExchange,
  quirk: string,
  secrets: readonly string[] = [],
): Promise<Evidence> {
  const clean = cleanExchange(exchange, secrets);
  const { request, response, end } = clean;
  return {
    request: { method: request.method, target: request.target, body: bodyOf(clean) },
    ...(response === undefined ? {} : { status: response.status }),
    headers: Object.fromEntries((response?.headers ?? []).map(([name, value]) => [name, visible(value)])),
    lines: clean.kind === 'websocket' ? messageLines(clean) : await bodyLines(clean, quirk),
    end: end.how,
    end_ms: tenths(end.ms),
  };
}

function bodyOf({ kind, request, messages }: TapedExchange): string {
  const body = kind === 'websocket' ? messages.find(({ from }) => from === 'client')?.data : request.body;
  return cutText(typeof body === 'string' ? body : Buffer.from(body ?? []).toString('utf8'), MAX_BODY);
}

function messageLines({ messages }: TapedExchange): readonly EvidenceLine[] {
  const came = messages.filter(({ from }) => from === 'server');
  return chosen(
    came.map(({ ms, data }) => ({ ms, text: showBytes(typeof data === 'string' ? Buffer.from(data) : data) })),
  );
}

async function bodyLines(exchange: TapedExchange, quirk: string): Promise<readonly EvidenceLine[]> {
  const blocks = cutBlocks(exchange.chunks);
  const telling = await tellingBlocks(exchange, blocks, quirk);
  const lines = blocks.map((block) => ({ ms: timeOf(block), text: showBytes(bytesOf(block)) }));
  return chosen(lines, new Set([...telling].map((block) => blocks.indexOf(block))));
}

/** The blocks without which the finding would not be there; none when they are all needed, or cannot be found. */
async function tellingBlocks(
  exchange: TapedExchange,
  blocks: readonly Block[],
  quirk: string,
): Promise<readonly Block[]> {
  const size = exchange.chunks.reduce((sum, { data }) => sum + data.length, 0);
  const shows = (some: readonly Block[]): boolean => showsQuirk({ ...exchange, chunks: joinBlocks(some) }, quirk, 0);
  if (size > MAX_SEARCHED || !shows(blocks)) return [];
  const telling = await shrinkList(blocks, shows, { tries: TRIES });
  return telling.length === blocks.length ? [] : telling;
}

/** True when the checks find it in this exchange. */
export function showsQuirk(exchange: TapedExchange, quirk: string, heldMs?: number): boolean {
  return findingsOf(exchange, heldMs)?.some((finding) => finding.quirk === quirk) === true;
}

/** So many as may be shown: the first, the last two, and what is marked with what stands beside it. */
function chosen(
  lines: readonly { readonly ms: number; readonly text: string }[],
  marked: ReadonlySet<number> = new Set(),
): readonly EvidenceLine[] {
  const ends = [0, lines.length - 1, lines.length - 2];
  const wanted = [...ends, ...[...marked].flatMap((at) => [at, at - 1, at + 1])];
  const rest = marked.size === 0 ? lines.keys() : [];
  const shown = [...new Set([...wanted, ...rest])].filter((at) => at >= 0 && at < lines.length).slice(0, MAX_LINES);
  const out: EvidenceLine[] = [];
  let before = -1;
  for (const at of shown.sort((a, b) => a - b)) {
    if (at > before + 1) out.push({ left_out: at - before - 1 });
    const line = lines[at];
    if (line !== undefined) out.push({ ms: tenths(line.ms), text: line.text, marked: marked.has(at) });
    before = at;
  }
  return before < lines.length - 1 ? [...out, { left_out: lines.length - 1 - before }] : out;
}

/** Bytes as text: line ends are written out, and end a line here too; so is what is hidden, or no UTF-8. */
export function showBytes(data: Uint8Array): string {
  const text = exactText(beginningOf(data)).replaceAll(/(?:\r|\n)+|[^\r\n]+/g, (run) =>
    /^[\r\n]/.test(run) ? `${visible(run)}\n` : visible(run),
  );
  return cutText(text.trimEnd(), MAX_TEXT);
}

/** Of what is long so much that the text of it is cut all the same, and no character in two. */
function beginningOf(data: Uint8Array): Uint8Array {
  let to = MAX_TEXT * 4;
  while (((data[to] ?? 0) & 0xc0) === 0x80) to--;
  return data.subarray(0, to);
}

function exactText(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return Buffer.from(data)
      .toString('latin1')
      .replaceAll(/[^\n\r\t -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  }
}

function cutText(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more)`;
}

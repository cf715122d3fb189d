import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { protocolIds } from '@turnwire/wire/internal/protocols';
import type { Verdict } from '../../test/fetch/cell.ts';
import { beyond, sdks, wireOf, type Result } from './matrix.ts';

const page = new URL('../../docs/healing.md', import.meta.url);
const [BEGIN, END] = ['<!-- e2e:healing begins -->', '<!-- e2e:healing ends -->'];
const verdicts: readonly Verdict[] = ['ok', 'told', 'silent', 'stalled'];

/** A client of an SDK: a row of the summary, a column of the others. */
interface Client {
  readonly title: string;
  readonly results: readonly Result[];
}

/** How many cells ended in what, per client: a markdown table. */
export function summary(results: readonly Result[]): string {
  const head = ['client', ...['without', 'with'].flatMap((half) => verdicts.map((verdict) => `${half}: ${verdict}`))];
  const count = (own: readonly Result[]): readonly string[] =>
    [false, true].flatMap((healed) =>
      verdicts.map((verdict) =>
        String(own.filter((each) => each.healed === healed && each.verdict === verdict).length),
      ),
    );
  const rows = clientsOf(results).map(({ title, results: own }) => [title, ...count(own)]);
  return table(head, [...rows, ['**all**', ...count(results)]]);
}

/** Puts the tables between the marks of docs/healing.md. */
export async function writeTables(results: readonly Result[]): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/healing.md has no ${BEGIN} and ${END}`);
  const block = [BEGIN, summary(results), ...protocolIds.map((wire) => differences(wire, results)), exceptions(), ''];
  const whole = text.slice(0, begin) + block.join('\n\n') + text.slice(end);
  const style = await resolveConfig(page);
  await writeFile(page, await format(whole, { ...style, parser: 'markdown' }));
}

/** The faults of a wire at which the line changes what a client gets. */
function differences(wire: string, results: readonly Result[]): string {
  const own = results.filter(({ client }) => wireOf(client) === wire);
  const clients = clientsOf(own);
  const rows = [...new Set(own.map(({ fault }) => fault))].toSorted().flatMap((fault) => {
    const cells = clients.map((client) => change(client.results.filter((result) => result.fault === fault)));
    return cells.every((cell) => cell === '') ? [] : [[`\`${fault}\``, ...cells]];
  });
  return `### ${wire}\n\n${table(['fault', ...clients.map(({ title }) => title)], rows)}`;
}

function change(pair: readonly Result[]): string {
  const without = pair.find(({ healed }) => !healed)?.verdict;
  const healed = pair.find((each) => each.healed)?.verdict;
  return without === healed ? '' : `${without ?? ''} → ${healed ?? ''}`;
}

function exceptions(): string {
  const rows = beyond.map(({ fault, verdict, sdks: own, why }) => {
    const whose = own === undefined ? '' : ` (${own.map((name) => sdks[name]?.title ?? name).join(', ')})`;
    return `- \`${fault}\`${whose} stays ${verdict}: ${why}.`;
  });
  return `What the line cannot mend:\n\n${rows.join('\n')}`;
}

function clientsOf(results: readonly Result[]): readonly Client[] {
  return Object.entries(sdks).flatMap(([sdk, { title }]) => {
    const own = results.filter((result) => result.sdk === sdk);
    return [...new Set(own.map(({ client }) => client))].map((client) => ({
      title: `${title} ${client}`,
      results: own.filter((result) => result.client === client),
    }));
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

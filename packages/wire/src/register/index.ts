/**
 * `@turnwire/wire/register`: `node --import @turnwire/wire/register app.js` heals what the app asks of models through the global `fetch`, and
 * says at its end what that was. `TURNWIRE_HEAL=0` only looks; `TURNWIRE_REPORT=FILE` writes the report as JSON, `-` to stdout.
 */
import { chat, healing, messages, responses, type Fetch } from '../fetch/index.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { beforeExit, type Files, type HostProcess } from './host-process.ts';
import { Ledger, textOf, type Report } from './ledger.ts';
import { wrapUndici } from './undici.ts';
import { Watch } from './watch.ts';

export type { Ending, HostReport, Report } from './ledger.ts';

const STDOUT = 1;
const STDERR = 2;

const { process, fetch } = globalThis as { readonly process?: HostProcess; readonly fetch: Fetch };
if (process !== undefined) register(process, fetch);

function register(host: HostProcess, below: Fetch): void {
  const { TURNWIRE_HEAL: heal, TURNWIRE_REPORT: target } = host.env;
  const ledger = new Ledger();
  const watch = new Watch([chat, responses, messages], ledger, systemClock);
  const isHealing = heal !== '0';
  const wrap = (fetch: Fetch): Fetch => (isHealing ? healing({ fetch: watch.over(fetch) }) : watch.over(fetch));
  Object.assign(globalThis, { fetch: wrap(below) });
  const loader = host.getBuiltinModule?.('node:module');
  if (loader !== undefined) wrapUndici(loader, wrap);
  beforeExit(host, () => {
    watch.end();
    const files = host.getBuiltinModule?.('node:fs');
    if (files !== undefined) tell(files, ledger.report(isHealing), target?.replaceAll('%p', String(host.pid)));
  });
}

/** Never throws: the app's end is its own. */
function tell(files: Files, report: Report, target: string | undefined): void {
  const json = `${JSON.stringify(report)}\n`;
  try {
    if (target === '-') files.writeSync(STDOUT, json);
    else if (target !== undefined && target !== '') files.writeFileSync(target, json);
    else if (Object.keys(report.hosts).length > 0) files.writeSync(STDERR, textOf(report));
  } catch (error) {
    complain(files, `turnwire: the report could not be written: ${String(error)}\n${textOf(report)}`);
  }
}

function complain(files: Files, text: string): void {
  try {
    files.writeSync(STDERR, text);
  } catch {
    // Nobody reads it.
  }
}

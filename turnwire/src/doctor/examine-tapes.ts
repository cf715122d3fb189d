import { isObject, parseJson, stringOf } from '@turnwire/wire/internal/base/json';
import type { TapedExchange } from '@turnwire/testing';
import type { DoctorReport, ProbeReport } from './doctor-report.ts';
import type { Outcome } from './examination.ts';
import { counted } from './finding.ts';
import { findingsOf, sampleOf, socketAnswers, wireOf } from './proof/findings-of.ts';
import { ReportBuilder } from './report-builder.ts';
import { endWords } from './report/evidence-text.ts';

/**
 * Examines what was recorded: each exchange is a check of its own. What only a request of the doctor's could show (other
 * wires, refusals, what the server does when a client leaves) is not in it.
 *
 * @param source - what the tapes are called in the report
 */
export async function examineTapes(
  source: string,
  exchanges: readonly TapedExchange[],
  onProbe?: (report: ProbeReport) => void,
): Promise<DoctorReport> {
  const builder = new ReportBuilder([], onProbe);
  for (const exchange of exchanges) {
    builder.tell({ name: exchange.file, wire: wireOf(exchange) ?? 'server' }, outcomeOf(exchange));
  }
  const model = exchanges.map(modelOf).find((name) => name !== undefined);
  return await builder.finish(source, model ?? 'unknown');
}

function outcomeOf(exchange: TapedExchange): Outcome {
  const findings = findingsOf(exchange);
  if (findings === undefined) return { skipped: `${exchange.request.method} ${exchange.request.target} asks no model` };
  return { seen: describe(exchange), findings, proof: exchange };
}

function describe(exchange: TapedExchange): string {
  const end = endWords[exchange.end.how];
  const sample = sampleOf(exchange);
  if (sample === undefined) return `${counted(socketAnswers(exchange).length, 'request')}; ${end}`;
  const status = sample.answer.status === 0 ? 'no answer' : `HTTP ${sample.answer.status}`;
  const events = counted(sample.reading.events.length, 'event');
  return `${status}, ${events}; turnwire reads it: ${sample.ours.outcome}; ${end}`;
}

function modelOf({ request, messages }: TapedExchange): string | undefined {
  const first = messages.find(({ from }) => from === 'client')?.data ?? request.body;
  const json = parseJson(typeof first === 'string' ? first : Buffer.from(first).toString('utf8'));
  return isObject(json) ? stringOf(json.model) : undefined;
}

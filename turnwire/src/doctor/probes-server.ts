import { isObject, parseJson, stringOf } from '@turnwire/wire/internal/base/json';
import { objectsIn } from './check-framing.ts';
import type { Examination, Outcome, Probe } from './examination.ts';
import { unheard } from './read-answer.ts';
import { counted, when } from './finding.ts';
import { RawAgents } from './raw-exchange.ts';
import { bodyText, errorMessage } from './sample.ts';

/** What is the same for every wire. */
export const serverProbes: readonly Probe[] = [
  { name: 'models', wire: 'server', alone: true, run: probeModels },
  { name: 'unknown path', wire: 'server', run: probeUnknownPath },
  { name: 'keep-alive', wire: 'server', run: probeKeepAlive },
];

/** Takes the first model, when none was named. */
async function probeModels(examination: Examination): Promise<Outcome> {
  const answer = await examination.raw('/models', 'GET');
  const { text } = bodyText(answer);
  const value = parseJson(text);
  const ids = isObject(value) ? objectsIn(value.data).flatMap(({ id }) => stringOf(id) ?? []) : [];
  examination.listedModel = ids[0];
  const why = unheard(answer);
  if (why !== undefined) return { skipped: why };
  const seen = `HTTP ${answer.status}, ${counted(ids.length, 'model')}`;
  return {
    seen,
    findings: when(ids.length === 0, 'models-missing', seen),
    proof: examination.rawProof('/models', 'GET', answer),
  };
}

async function probeUnknownPath(examination: Examination): Promise<Outcome> {
  const answer = await examination.raw('/no-such-path', 'POST', { body: '{}' });
  const why = unheard(answer);
  if (why !== undefined) return { skipped: why };
  const { text } = bodyText(answer);
  const right = answer.status === 404 && isObject(parseJson(text));
  const seen = `HTTP ${answer.status}: ${errorMessage(text)}`;
  return {
    seen,
    findings: when(!right, 'unknown-path-shape', seen),
    proof: examination.rawProof('/no-such-path', 'POST', answer, '{}'),
  };
}

/** Two requests one after the other: the second finds the connection of the first. */
async function probeKeepAlive(examination: Examination): Promise<Outcome> {
  const agent = new RawAgents();
  try {
    const first = await examination.raw('/models', 'GET', { agent });
    if (first.status === 0) return { skipped: `no answer (${first.error ?? first.end})` };
    if (first.end !== 'end') return { skipped: 'the answer of GET /models did not end by itself' };
    const second = await examination.raw('/models', 'GET', { agent });
    const seen = second.reused ? 'the second request used the connection of the first' : 'a new connection each time';
    return { seen, findings: when(second.status > 0 && !second.reused, 'no-keep-alive', seen) };
  } finally {
    agent.close();
  }
}

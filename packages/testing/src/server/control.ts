import type { IncomingMessage, ServerResponse } from 'node:http';
import { redactHeader, redactTarget, withoutSecretSpans } from '@turnwire/client/internal/platform/secret-text';
import { parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { nearest } from '@turnwire/wire/internal/base/nearest';
import { MockUsageError } from '../errors.ts';
import { readBody } from './read-body.ts';
import type { RecordedRequest } from './recorder.ts';
import type { MockTest } from './mock-test.ts';
import { verdictAsJunit } from './verdict.ts';

/** Bound of a scenario or a list of faults, in bytes. */
const CONTROL_LIMIT = 4 * 1024 * 1024;

/** Every route by which a test in any language tells the mock what to do; its answer is JSON unless it says otherwise. */
const routes: Readonly<Record<string, (test: Controlled, asked: Asked) => Answer | Promise<Answer>>> = {
  'POST /__scenario': setScenario,
  'POST /__faults': setFaults,
  'POST /__reset': (test) => {
    test.reset();
    return ok({ ok: true });
  },
  'GET /__verdict': giveVerdict,
  'GET /__requests': (test) => ok({ count: test.count, requests: test.allRequests.map(publicRecord) }),
};

/** What the routes need of a test. */
export interface Controlled extends MockTest {
  /** Requests to the model, and those that were none. */
  readonly allRequests: readonly RecordedRequest[];
  /** Model requests so far, kept or not. */
  readonly count: number;
  /** The faults, as they were asked for. */
  readonly faults: readonly string[];
}

interface Asked {
  readonly text: string;
  readonly contentType: string;
  readonly wantsXml: boolean;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** True for a request to the mock itself. */
export function isControl({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/__');
}

/** Answers it. */
export async function answerControl(test: Controlled, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { status, contentType, body } = await answerOf(test, req);
  res.writeHead(status, { 'content-type': contentType }).end(body);
}

async function answerOf(test: Controlled, req: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://mock');
  const route = routes[`${req.method ?? ''} ${pathname}`];
  if (route === undefined) return failure(404, noRoute(req.method ?? '', pathname));
  const bytes = await readBody(req, CONTROL_LIMIT);
  if (bytes === undefined) return failure(413, `the body has more than ${CONTROL_LIMIT} bytes`);
  try {
    return await route(test, {
      text: bytes.toString('utf8'),
      contentType: req.headers['content-type'] ?? '',
      wantsXml: searchParams.get('format') === 'junit' || /\bxml\b/.test(req.headers.accept ?? ''),
    });
  } catch (error) {
    if (error instanceof MockUsageError) return failure(400, error.message);
    throw error;
  }
}

async function setScenario(test: Controlled, { text, contentType }: Asked): Promise<Answer> {
  const { parseScenario } = await import('../load/scenario-file.ts');
  const scenario = parseScenario(text, { toml: contentType.includes('toml') });
  await test.setScenario(scenario);
  return ok({ ok: true, turns: scenario.turns.length });
}

async function setFaults(test: Controlled, { text }: Asked): Promise<Answer> {
  const { parseFaults } = await import('../load/faults-body.ts');
  test.setFaults(parseFaults(text));
  return ok({ ok: true, faults: test.faults });
}

/** Status 417 when something is not as it was expected, so that `curl --fail-with-body` is a check. */
function giveVerdict(test: Controlled, { wantsXml }: Asked): Answer {
  const verdict = test.verdict();
  const status = verdict.passed ? 200 : 417;
  if (wantsXml) return { status, contentType: 'application/xml', body: verdictAsJunit(verdict) };
  return { ...ok({ ...verdict }), status };
}

function ok(value: JsonObject): Answer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(value) };
}

function failure(status: number, message: string): Answer {
  return { ...ok({ error: { message } }), status };
}

function noRoute(method: string, path: string): string {
  const known = Object.keys(routes);
  const near = nearest(`${method} ${path}`, known);
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
  return `no route ${method} ${path}: ${hint}`;
}

/** As anybody on this machine may read it: without its secrets. */
function publicRecord(record: RecordedRequest): JsonObject {
  const { n, method, path, query, headers, transport, body, text, atMs, answer } = record;
  const shown = withoutSecretSpans(text, headers['content-type']);
  return {
    n,
    method,
    path: redactTarget(path),
    query: redactTarget(`?${query}`).slice(1),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redactHeader(name, value)])),
    transport,
    body: body === undefined ? shown : parseJson(shown),
    at_ms: Math.round(atMs),
    answer,
  };
}

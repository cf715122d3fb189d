import { describe, expect, it } from 'vitest';
import { examine, quirks, type DoctorReport } from '../../turnwire/src/doctor/index.ts';
import { listFaults, startMock, type FaultInfo } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';

/** Arguments that make a fault show quickly. */
const args: Readonly<Record<string, string>> = {
  status: '503',
  'retry-after': '1:1000',
  'rate-limit-text': '28ms:1000',
  'slow-headers': '300',
  // The least of all answers counts, from when a head is read: one that is read late must not take it below 250.
  'slow-first-byte': '600',
  'slow-close': '550',
  'keep-alive-comments': '300',
  drip: '10',
  'stall-after': '3',
  'reset-after': '3',
  'cut-after': '3',
  'endless-line': '9000000',
  'turn-state': 'opaque',
  'reasoning-shape': 'details',
  'param-refused': 'tool_choice',
};

/** The Responses wire has no sentinel after which a connection could be held. */
const sameAs: Readonly<Record<string, string>> = { 'done-then-hold responses': 'finish-then-hold' };

async function examineWith(faults: readonly string[], more: object = {}): Promise<DoctorReport> {
  await using mock = await startMock({ faults });
  return await examine({ url: mock.url, timeoutMs: 15_000, holdMs: 700, ...more });
}

/** Tens of thousands of chunks, or megabytes: beside others they would keep this process from hearing of theirs in time. */
const heavy: ReadonlySet<string> = new Set(['one-byte-chunks', 'endless-line', 'giant-event']);

/** Behind these the doctor waits out its bound. All others answer, on a busy machine late: a short bound would take them for silent. */
const silent: ReadonlySet<string> = new Set([
  'response-done',
  'response-cancelled',
  'response-error',
  'error-flat',
  'base-resp',
  'stall-after',
  'ws-silent',
]);

async function named(fault: FaultInfo): Promise<void> {
  const { name } = fault;
  const arg = args[name];
  const { findings, broken } = await examineWith([arg === undefined ? name : `${name}:${arg}`], {
    wires: wiresOf(fault),
    ...(name === 'slow-close' ? { holdMs: 3000 } : {}),
    ...(silent.has(name) ? { timeoutMs: 1500 } : {}),
  });
  for (const wire of fault.wires) {
    const quirksOfWire = findings.filter((finding) => finding.wire === wire).map(({ quirk }) => quirk);
    expect(quirksOfWire, wire).toContain(sameAs[`${name} ${wire}`] ?? name);
  }
  if (quirks[name]?.level === 'broken') expect(broken).toBeGreaterThan(0);
}

/** Five at once, and each of some of them waits out the bound of its probes: a busy machine takes a minute for one. */
const TEST_MS = 300_000;

/** Only the wires on which a fault shows: the test is about naming it, not about the other wires. A socket is one of Responses. */
function wiresOf({ wires }: FaultInfo): readonly ProtocolId[] {
  const shown = new Set<string>(wires.map((wire) => (wire === 'websocket' ? 'responses' : wire)));
  return protocolIds.filter((id) => shown.has(id));
}

describe('every fault', () => {
  it('has a row in the table of quirks', () => {
    expect(
      listFaults()
        .map(({ name }) => name)
        .filter((name) => quirks[name] === undefined),
    ).toEqual([]);
  });

  it.concurrent.each(listFaults().filter(({ name }) => !heavy.has(name)))('is named: $name', named, TEST_MS);

  it.each(listFaults().filter(({ name }) => heavy.has(name)))('is named, alone: $name', named, TEST_MS);

  it('of several is named, and those of the first request only', async () => {
    const { findings } = await examineWith(['crlf', 'tool-index-missing', 'status:503:1', 'usage-on-finish']);
    const named = findings.filter(({ wire }) => wire === 'chat').map(({ quirk }) => quirk);
    expect(named).toEqual(expect.arrayContaining(['crlf', 'tool-index-missing', 'status', 'usage-on-finish']));
  });
});

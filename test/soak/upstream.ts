/**
 * The model servers of one machine, one for each wire, to be killed and started again on the same ports:
 * `node upstream.ts PACE_MS WIRE=PORT…`; tells its parent the ports.
 */
import { startMock, type Reply, type RequestView, type Scenario } from '../../packages/testing/src/index.ts';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import { callsOf, faultsOf, fromPrompt, modelOf, NO_FAULT, textOf } from './script.ts';

const [pace = '0', ...places] = process.argv.slice(2);

/** A turn for each fault, which its requests name. */
function scenarioOf(wire: ProtocolId): Scenario {
  const turns = [NO_FAULT, ...faultsOf[wire]].map((fault) => ({
    when: { request: ({ lastUserText }: RequestView) => fromPrompt(lastUserText)?.fault === fault },
    replies: [{ parts: partsOf, paceMs: Number(pace), ...(fault === NO_FAULT ? {} : { faults: [fault] }) }],
  }));
  return { name: 'soak', model: modelOf(wire), turns };
}

const partsOf: Extract<Reply['parts'], (...args: never) => unknown> = ({ lastUserText, userTurns }) => {
  const asked = fromPrompt(lastUserText);
  if (asked === undefined) return [];
  return [
    ...(asked.reasons ? [{ type: 'reasoning' as const, text: `Thoughts about ${asked.tag}.`, chunk: 12 }] : []),
    { type: 'text', text: textOf(asked, userTurns), chunk: 12 },
    ...callsOf(asked).map((call, n) => ({
      ...{ type: 'tool_call' as const, name: call.name, arguments: call.arguments, chunk: 24 },
      callId: `call_${asked.tag}_${n}`,
    })),
  ];
};

const ports: Record<string, number> = {};
for (const place of places) {
  const [wire, port] = place.split('=') as [ProtocolId, string];
  const mock = await startMock({ wire, port: Number(port), scenario: scenarioOf(wire), keepRequests: 1 });
  ports[wire] = mock.port;
}
process.send?.(ports);
process.on('disconnect', () => process.exit(0));

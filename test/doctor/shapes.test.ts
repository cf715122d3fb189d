import { describe, expect, it } from 'vitest';
import { examine } from '../../turnwire/src/doctor/index.ts';
import { listFaults, startMock, type FaultWire } from '../../packages/testing/src/index.ts';
import { finishWords } from '../../packages/wire/src/dialects/finish-reasons.ts';
import { protocolIds } from '../../packages/wire/src/index.ts';

/** The one after which a WebSocket says nothing more: its timeout is waited for to the end. */
const isSilent = (fault: string): boolean => fault.startsWith('error-flat:');

/** What the doctor names, as `wire quirk`; of the servers that are not silent a busy machine may take its time. */
async function namedWith(fault: string, wires: readonly FaultWire[]): Promise<readonly string[]> {
  await using mock = await startMock({ faults: [fault] });
  const shown = new Set<string>(wires.map((wire) => (wire === 'websocket' ? 'responses' : wire)));
  const examined = protocolIds.filter((id) => shown.has(id));
  const { findings } = await examine({
    url: mock.url,
    timeoutMs: isSilent(fault) ? 3000 : 10_000,
    holdMs: 100,
    wires: examined,
  });
  return findings.map(({ wire, quirk }) => `${wire} ${quirk}`);
}

const shapes = listFaults().flatMap(({ name, wires, choices = [] }) =>
  choices.map((choice) => ({ name, wires, choice, text: `${name}:${choice}` })),
);

/** Shapes with a name of their own, by fault and wire. */
const otherNames: Readonly<Record<string, string>> = {
  'think-tags:opened chat': 'think-tags-opened',
  'think-tags:opened responses': 'think-tags-opened',
  'think-tags:opened messages': 'think-tags-opened',
  // The form of the API itself.
  'error-flat:type responses': 'error-mid-stream',
  'error-flat:type websocket': 'error-mid-stream',
};

/** Shapes that are the wire's own, or of what it does not have: no fault. */
const noFault = new Set([
  'reasoning-shape:reasoning_content chat',
  'value-refused:item-ids chat',
  'value-refused:raw-reasoning chat',
  ...protocolIds.map((id) => `wrong-wire:${id} ${id}`),
]);

describe('the doctor on the mock', () => {
  it.concurrent.each(shapes)(
    'names each shape of a fault: $text',
    { timeout: 60_000 },
    async ({ name, text, wires }) => {
      const named = await namedWith(text, wires);
      for (const wire of wires) {
        const at = `${text} ${wire}`;
        if (noFault.has(at)) expect(named).not.toContain(`${wire} ${name}`);
        else expect(named).toContain(`${wire} ${otherNames[at] ?? name}`);
      }
    },
  );

  it.concurrent.each(Object.values(finishWords).flat())(
    'names the spelling of a finish: %s',
    { timeout: 60_000 },
    async (reason) => {
      expect(await namedWith(`finish-spelling:${reason.toUpperCase()}`, ['chat'])).toContain('chat finish-spelling');
    },
  );

  it.concurrent.each([
    ['stream_options', 'usage-refused'],
    ['max_tokens', 'max-tokens-refused'],
    ['temperature', 'param-refused'],
    ['top_p', 'param-refused'],
    ['parallel_tool_calls', 'param-refused'],
    ['reasoning_effort', 'param-refused'],
    ['strict', 'param-refused'],
    ['response_format', 'param-refused'],
  ])('names a refusal of %s', { timeout: 60_000 }, async (name, quirk) => {
    expect(await namedWith(`param-refused:${name}`, ['chat'])).toContain(`chat ${quirk}`);
  });
});

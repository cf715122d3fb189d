import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScenario, startMock } from '../../packages/testing/src/index.ts';
import { parseScenario } from '../../packages/testing/src/load/scenario-file.ts';
import { ours } from './outcome.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnwire-scenario-'));
});
afterAll(() => rm(folder, { recursive: true }));

const toml = `
name = "weather"
model = "m-1"

[[turns]]
when = { user = { regex = "weather", flags = "i" } }

[[turns.replies]]
reasoning = "Look it up."
tool_calls = [{ name = "get_weather", arguments = { city = "Oslo" }, call_id = "call_w" }]

[[turns.replies]]
text = "It rains."
usage = { input_tokens = 3, output_tokens = 2 }
faults = ["no-sentinel"]

[[turns]]
[[turns.replies]]
parts = [{ type = "text", text = "Hm.", chunk = 1 }, { type = "refusal", text = "No." }]
`;

describe('a scenario file', () => {
  it('is read from TOML and from JSON alike', async () => {
    await writeFile(join(folder, 'weather.toml'), toml);
    const fromToml = await loadScenario(join(folder, 'weather.toml'));
    expect(fromToml).toEqual({
      name: 'weather',
      model: 'm-1',
      turns: [
        {
          when: { user: /weather/i },
          replies: [
            {
              parts: [
                { type: 'reasoning', text: 'Look it up.' },
                { type: 'tool_call', name: 'get_weather', arguments: { city: 'Oslo' }, callId: 'call_w' },
              ],
            },
            {
              parts: [{ type: 'text', text: 'It rains.' }],
              usage: {
                input_tokens: 3,
                input_tokens_details: { cached_tokens: 0 },
                output_tokens: 2,
                output_tokens_details: { reasoning_tokens: 0 },
                total_tokens: 5,
              },
              faults: ['no-sentinel'],
            },
          ],
        },
        {
          replies: [
            {
              parts: [
                { type: 'text', text: 'Hm.', chunk: 1 },
                { type: 'refusal', text: 'No.' },
              ],
            },
          ],
        },
      ],
    });
    const json = { turns: [{ replies: [{ text: 'Hello' }] }] };
    expect(parseScenario(JSON.stringify(json))).toEqual({
      turns: [{ replies: [{ parts: [{ type: 'text', text: 'Hello' }] }] }],
    });
  });

  it('is served by its path', async () => {
    await writeFile(
      join(folder, 'hello.json'),
      JSON.stringify({ turns: [{ replies: [{ text: 'Hello from a file' }] }] }),
    );
    await using server = await startMock({ scenario: join(folder, 'hello.json') });
    expect(await ours(server.baseUrl, 'chat')).toMatchObject({ end: 'ok', text: 'Hello from a file' });
  });

  it.each([
    ['{"turns":[{"replies":[{"txt":"x"}]}]}', 'turns[0].replies[0]: unknown key "txt": did you mean text?'],
    ['{"turns":[{"replies":[{"tool_call":[]}]}]}', 'did you mean tool_calls?'],
    ['{"turns":[{"wen":{},"replies":[{}]}]}', 'turns[0]: unknown key "wen": did you mean when?'],
    ['{"turns":[]}', 'turns: needs at least one turn'],
    ['{"turns":[{"replies":[{"text":7}]}]}', 'turns[0].replies[0].text: must be a string'],
    ['{"turns":[{"replies":[{"faults":["crfl"]}]}]}', 'unknown fault "crfl": did you mean crlf?'],
    ['{"turns":[{"when":{"user":{"regex":"("}},"replies":[{}]}]}', 'Invalid regular expression'],
    ['{nonsense', 'not valid JSON'],
    [
      '{"turns": [\n  {"replies": [{}],}\n]}',
      'scenario: not valid JSON: line 2, column 20: property name expected, found "}\\n]}"',
    ],
  ])('%s is refused with a clear line', (source, message) => {
    expect(() => parseScenario(source)).toThrow(message);
  });

  it('that is not there, or no TOML, is refused', async () => {
    await expect(startMock({ scenario: join(folder, 'absent.json') })).rejects.toThrow(
      /cannot read the scenario .*absent\.json/,
    );
    expect(() => parseScenario('a = [', { toml: true, path: 'x.toml' })).toThrow(/^x\.toml: /);
  });
});

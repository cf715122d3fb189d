/** Scenes of a day with the chat, for the pictures of the docs: what is asserted of such a day is in `day.e2e.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scenario, startMock } from '../../packages/testing/src/index.ts';
import type { Tmux } from '../../test/terminal/tmux.ts';
import { Desk } from './desk.ts';

export type Scene = 'start' | 'question' | 'tools' | 'streaming' | 'table' | 'picker' | 'resumed';

const SUM = 'export function sum(list) {\n  return list.reduce((a, b) => a - b, 0);\n}\n';

const PATCH = `*** Begin Patch
*** Update File: src/sum.js
@@
 export function sum(list) {
-  return list.reduce((a, b) => a - b, 0);
+  return list.reduce((a, b) => a + b, 0);
 }
*** End Patch`;

const PLAN = [
  { step: 'Read the test', status: 'completed' },
  { step: 'Mend sum', status: 'in_progress' },
  { step: 'Run the tests again', status: 'pending' },
];

const TABLE = `What the three servers did in the last hour:

| server      | answers | first token | state                |
| ----------- | ------: | ----------: | :------------------- |
| llama.cpp   |   1,204 |       81 ms | well                 |
| vLLM        |     312 |      140 ms | two calls without id |
| Ollama      |      58 |    2,310 ms | **held after tools** |

The reader that all of them share:

\`\`\`ts
for await (const event of readEvents(response.body, { wire: 'chat' })) {
  if (event.type === 'output_text.delta') process.stdout.write(event.delta);
}
\`\`\`

- It ends when the model has finished.
- The [contract](https://example.com/contract) says what each event is.`;

const model = scenario('scenes')
  .when({ user: 'Run the tests' })
  .toolCall('shell', { command: `touch tested && seq -f 'ok %g' 1 30 && echo 'not ok 31 - sum'` })
  .next()
  .text('Thirty pass, `sum` does not: it subtracts.')
  .when({ user: 'Mend it' })
  .toolCall('update_plan', { plan: PLAN })
  .next()
  .toolCall('apply_patch', { input: PATCH })
  .next()
  .toolCall('update_plan', { plan: PLAN.map(({ step }) => ({ step, status: 'completed' })) })
  .next()
  .text('Mended. `sum` adds now, and all tests pass.')
  .when({ user: 'How are the servers' })
  .text(TABLE, { chunk: 6 })
  .pace({ paceMs: 15 });

/** Shows each scene once it is there. */
export async function playScenes(look: (scene: Scene, tmux: Tmux) => Promise<void>): Promise<void> {
  await using server = await startMock({ scenario: model });
  using desk = new Desk(server.baseUrl, { hasMcp: false });
  const { tmux, folder } = desk;
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'sum.js'), SUM);
  await tmux.until('sandbox');
  await look('start', tmux);
  desk.say('Run the tests.');
  await desk.answer('? Run shell', 'y');
  await tmux.until('it subtracts');
  desk.say('Mend it.');
  await tmux.until('? Run apply_patch');
  await look('question', tmux);
  await desk.answer('? Run apply_patch', 'y');
  await tmux.until('all tests pass');
  await look('tools', tmux);
  desk.say('How are the servers?');
  await tmux.until('The reader that all');
  await look('streaming', tmux);
  await tmux.until('says what each event is');
  await look('table', tmux);
  desk.say('/fork');
  await tmux.until('Going on in a copy');
  desk.say('/resume');
  await tmux.until(/→ \S+ +Run the tests/);
  await look('picker', tmux);
  tmux.send('Escape');
  await tmux.until(/^[^→]*$/);
  tmux.send('C-c');
  await tmux.until(/^›\s*$/m);
  tmux.send('C-d');
  await tmux.until('Going on with a conversation', () => tmux.all());
  await tmux.until(/^tiny at/m);
  await look('resumed', tmux);
}

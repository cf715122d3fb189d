/** One turn of an agent, without tools. */
import { Agent, createTools, sessionModel } from '@turnwire/agent';
import { createModelSession, createProvider } from '@turnwire/client';

const provider = createProvider({ baseUrl: process.env.BASE_URL, wireApi: 'chat', model: 'tiny' });
const session = createModelSession({ provider });
const tools = await createTools({ cwd: process.cwd(), env: {}, select: 'read' });
const agent = new Agent({ model: sessionModel(session), tools });
let text = '';
let last = '';
for await (const events of agent.run('hi')) {
  for (const event of events) {
    if (event.type === 'output_text.delta') text += event.delta;
    last = event.type;
  }
}
console.log(last, text, tools.length > 0);
await session.close();

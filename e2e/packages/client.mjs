/** One turn with a server that finishes its answer and holds the socket. */
import { createModelClient, createProvider } from '@turnwire/client';

const provider = createProvider({ baseUrl: process.env.BASE_URL, wireApi: 'chat', model: 'tiny' });
const client = createModelClient({ provider });
let text = '';
for await (const event of client.stream({ input: [{ type: 'message', role: 'user', content: 'hi' }] })) {
  if (event.type === 'output_text.delta') text += event.delta;
  if (event.type === 'completed') console.log(event.type, text, event.finish_reason);
}
await client.close();

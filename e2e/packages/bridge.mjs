/** A client of the Responses wire, on a server of Chat Completions. */
import { createBridge } from '@turnwire/bridge';

const bridge = createBridge({ upstreams: [process.env.BASE_URL], wire: 'chat', port: 0 });
await bridge.listen();
const response = await fetch(`${bridge.url}/v1/responses`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'tiny', input: 'hi' }),
});
const { status, output } = await response.json();
console.log(status, output[0].content[0].text, response.status);
await bridge.close();

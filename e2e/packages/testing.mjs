/** A scripted server answers a request, and knows of it. */
import { scenario, startMock } from '@turnwire/testing';

const mock = await startMock({ wire: 'chat', scenario: scenario('hello').text('Hé') });
const response = await fetch(`${mock.baseUrl}/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hi' }] }),
});
const { choices } = await response.json();
console.log('completed', choices[0].message.content, mock.requests.length);
await mock.close();

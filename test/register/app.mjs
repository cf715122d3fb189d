// An app of somebody else's: it asks a model once for each base URL, and does what its second argument says at its end.
import { clearTimeout, setTimeout } from 'node:timers';
import OpenAI from 'openai';
import { fetch as undiciFetch } from 'undici';

const [, , how = 'return', ...baseUrls] = process.argv;
for (const baseURL of baseUrls) {
  const client = new OpenAI({
    baseURL,
    apiKey: 'none',
    maxRetries: 0,
    ...(how === 'undici' && { fetch: undiciFetch }),
  });
  const messages = [{ role: 'user', content: 'hi' }];
  let text = '';
  try {
    const stream = await client.chat.completions.create({ model: 'm', stream: true, messages }, { timeout: 30_000 });
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? '';
      if (how === 'wait' && choices[0]?.finish_reason) setTimeout(() => process.stdout.write('WAITING\n'), 1200);
    }
    process.stdout.write(`${JSON.stringify(text)}\n`);
  } catch (error) {
    process.stdout.write(`${error.constructor.name}\n`);
  }
}
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('a bug of the app');
if (how === 'signal') {
  setTimeout(() => undefined, 20_000);
  process.kill(process.pid, 'SIGTERM');
}
if (how === 'own-signal') {
  const working = setTimeout(() => undefined, 20_000);
  process.once('SIGINT', () => {
    process.stdout.write('the app ends by itself\n');
    clearTimeout(working);
  });
  process.kill(process.pid, 'SIGINT');
}

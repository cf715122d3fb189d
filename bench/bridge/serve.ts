/** One of the servers that are compared, in front of the upstream's port: `serve.ts KIND PORT [WARM-UP-MS]`. */
import { createServer, request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createBridge } from '../../packages/bridge/src/index.ts';

const [kind = 'pipe', upstreamPort = '0', warmUpMs = '0'] = process.argv.slice(2);

if (kind.startsWith('pipe')) {
  const server = createServer((req, res) => {
    const path = '/v1/chat/completions';
    const headers = { 'content-type': 'application/json' };
    const upstream = request({ port: upstreamPort, host: '127.0.0.1', method: 'POST', path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, { 'content-type': 'text/event-stream' });
      if (kind === 'pipe') answer.pipe(res);
      else parseAndPrint(answer, res);
    });
    upstream.on('error', () => res.destroy());
    res.on('close', () => upstream.destroy());
    if (kind === 'pipe-body') void parseAndSend(req, upstream);
    else req.pipe(upstream);
  });
  server.listen(0, '127.0.0.1', 8192, () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
  });
} else {
  const mode = kind === 'passthrough' ? 'passthrough' : 'translate';
  const upstreams = [`http://127.0.0.1:${upstreamPort}/v1`];
  const inspect = kind === 'translate-inspect' ? { inspect: { page: [] } } : {};
  const bridge = createBridge({ upstreams, wire: 'chat', port: 0, mode, warmUpMs: Number(warmUpMs), ...inspect });
  await bridge.listen();
  process.send?.({ port: bridge.port });
}

/** What a gateway has to do at least that looks at its requests. */
async function parseAndSend(req: IncomingMessage, upstream: ClientRequest): Promise<void> {
  const chunks = (await req.toArray()) as Buffer[];
  upstream.end(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
}

/** What a gateway has to do at least that looks at each event. */
function parseAndPrint(answer: IncomingMessage, res: ServerResponse): void {
  let rest = '';
  answer.setEncoding('utf8');
  answer.on('data', (data: string) => {
    rest += data;
    let out = '';
    let from = 0;
    for (let to = rest.indexOf('\n\n'); to >= 0; to = rest.indexOf('\n\n', from)) {
      const payload = rest.slice(from + 'data: '.length, to);
      out += `data: ${payload === '[DONE]' ? payload : JSON.stringify(JSON.parse(payload))}\n\n`;
      from = to + 2;
    }
    rest = rest.slice(from);
    if (out === '' || res.write(out)) return;
    answer.pause();
    res.once('drain', () => answer.resume());
  });
  answer.on('end', () => res.end());
}

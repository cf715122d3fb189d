import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startMock } from '../../packages/testing/src/index.ts';
import { startInProcess } from '../cli/harness.ts';
import { root } from '../docs/examples.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const folder = join(root, 'deploy');
const { services, networks } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const container = readFileSync(join(folder, 'Containerfile'), 'utf8');
const bridges = Object.entries(services).filter(([name]) => name.startsWith('bridge-'));
const { model, nginx } = services;

/** The variables that the image sets. */
const ofImage = Object.fromEntries(
  [...container.matchAll(/(TURNWIRE_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
);

/** `${NAME:?what it is}` as a person would have filled it in. */
const filledIn = (value: string): string => value.replaceAll(/\$\{\w+:\?[^}]*\}/g, 'x'.repeat(32));

describe('the compose file', () => {
  it('has two bridges that are alike, behind the names that nginx asks', () => {
    expect(bridges.map(([, service]) => service)).toEqual([bridges[0]?.[1], bridges[0]?.[1]]);
    const asked = readFileSync(join(folder, 'nginx', 'turnwire.conf'), 'utf8').matchAll(
      /server (\S+):(\d+) max_fails/g,
    );
    const port = ofImage.TURNWIRE_PORT;
    expect([...asked].map(([, name, at]) => [name, at])).toEqual(bridges.map(([name]) => [name, port]));
    expect(container).toContain(`EXPOSE ${port}\n`);
    expect(Object.keys(nginx?.depends_on ?? {})).toEqual(bridges.map(([name]) => name));
  });

  it('starts a bridge with the variables that it and the image set, none of which is unknown', async () => {
    await using mock = await startMock({ wire: 'chat' });
    const environment = bridges[0]?.[1].environment ?? {};
    const given = Object.entries({ ...ofImage, ...environment }).map(([name, value]) => [name, filledIn(value)]);
    const env: Record<string, string> = {
      ...(Object.fromEntries(given) as Record<string, string>),
      TURNWIRE_UPSTREAM: mock.url,
    };
    env.TURNWIRE_PORT = '0';
    env.TURNWIRE_HOST = '127.0.0.1';
    const command = startInProcess(['bridge', '--store', 'memory', '--log-level', 'silent'], { env });
    const [, url = ''] = await command.until(/OPENAI_BASE_URL=(\S+)\/v1/);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const headers = { authorization: `Bearer ${env.TURNWIRE_TOKEN ?? ''}` };
    expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
    command.signal('SIGTERM');
    expect(await command.result).toMatchObject({ code: 0, stderr: '' });
  });

  it('asks servers by the names and ports that they have here', () => {
    const environment = bridges[0]?.[1].environment ?? {};
    const port = model?.command?.[model.command.indexOf('--port') + 1];
    expect(environment.TURNWIRE_UPSTREAM).toBe(`http://model:${port}`);
    expect(environment.TURNWIRE_STORE).toBe('redis://redis:6379');
    expect(Object.keys(services)).toEqual(['model', 'redis', 'bridge-1', 'bridge-2', 'nginx']);
  });

  it('names files that there are, and keeps all but nginx away from other networks', () => {
    const files = Object.values(services).flatMap(({ build, volumes = [] }) => [
      ...(build === undefined ? [] : [join(build.context, build.dockerfile)]),
      ...volumes.filter((volume) => volume.startsWith('.')).map((volume) => volume.split(':')[0] ?? ''),
    ]);
    expect(files.length).toBe(3);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
    expect(networks.inside?.internal).toBe(true);
    const open = Object.entries(services).filter(
      ([, one]) => one.ports !== undefined || one.networks.join() !== 'inside',
    );
    expect(open.map(([name, one]) => [name, one.ports])).toEqual([['nginx', ['127.0.0.1:18080:80']]]);
  });

  it('lets streams finish before it kills a bridge', () => {
    for (const [, service] of bridges) expect(parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(30);
  });
});

describe('the Containerfile', () => {
  const listOf = (word: string): string[] =>
    JSON.parse(new RegExp(`^(?:  )?${word} (\\[.*\\])$`, 'm').exec(container)?.[1] ?? '[]') as string[];

  it('starts the file that the package turnwire starts, and asks for its health with it', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'turnwire', 'package.json'), 'utf8')) as {
      bin: { turnwire: string };
    };
    const start = ['node', `/app/node_modules/turnwire/${manifest.bin.turnwire}`];
    expect(listOf('ENTRYPOINT')).toEqual(start);
    const checks = listOf('CMD');
    expect(checks).toEqual([...start, 'bridge', '--health-check']);
    expect(container.trimEnd().endsWith('CMD ["bridge"]')).toBe(true);
  });

  it('does not run as root', () => {
    expect(/^USER (\d+):\d+$/m.exec(container)?.[1]).toBe('1000');
  });
});

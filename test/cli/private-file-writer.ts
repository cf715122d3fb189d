import { McpCredentialFile } from '../../turnwire/src/cli/mcp-credentials.ts';
import { TrustStore } from '../../turnwire/src/cli/trust-store.ts';
import { credentialsOf, ENTRIES } from './private-file-entries.ts';

// Says that it is there, and then writes its entries, one after the other, as soon as it is told to.
const [home = '', name = ''] = process.argv.slice(2);
const [credentials, trust] = [new McpCredentialFile({ env: {}, home }), new TrustStore({ env: {}, home })];
process.stdin.once('data', () => void write());
process.stdout.write('ready\n');

async function write(): Promise<void> {
  for (let n = 0; n < ENTRIES; n++) {
    await credentials.write(`http://${name}-${n}/mcp`, credentialsOf(`${name}-${n}`));
    await trust.trust({ folder: `/${name}/${n}`, sha256: 'x' });
  }
  process.stdin.destroy();
}

import type { SandboxLevel } from './sandbox.ts';

/** What programs print when a wall stopped them: no right to write, no network, no folder of the home. */
const STOPPED =
  /read-only file system|\bEROFS\b|operation not permitted|\bEPERM\b|permission denied|\bEACCES\b|network is unreachable|\bENETUNREACH\b|could not resolve|name resolution|\bEAI_AGAIN\b|\bENOTFOUND\b|getaddrinfo|connection refused|\bECONNREFUSED\b|^bwrap: |^sandbox-exec: /im;

/** For the model, after a command that failed in a sandbox and looks like it was stopped by it. */
export function sandboxHint(output: string, level: SandboxLevel, home: string | undefined): string | undefined {
  const missesHome =
    /no such file|not found|\bENOENT\b/i.test(output) && home !== undefined && output.includes(`${home}/`);
  if (level === 'off' || !(STOPPED.test(output) || missesHome)) return undefined;
  const writes =
    level === 'workspace' ? 'it can only write in the folders of this work and in $TMPDIR' : 'it cannot write';
  return `[this ran in a sandbox: ${writes}, there is no network, and the home folder is empty. If that is why it failed, call shell again with "sandbox": "off" and a "reason": that needs approval.]`;
}

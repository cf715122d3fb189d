import type { TapedExchange } from '@turnwire/testing';
import { timelineOf } from '../doctor/index.ts';
import { UsageError } from './exit.ts';

/** @throws UsageError when the checks do not find it on the tape */
export function checkFaultName(exchange: TapedExchange, tape: string, fault: string | undefined): void {
  const { findings } = timelineOf(exchange);
  if (fault === undefined || findings.some(({ quirk }) => quirk === fault)) return;
  throw new UsageError(`${tape} does not show ${fault}; ${tell(findings)}`);
}

/** The finding that is meant where none is named: the only one that is broken, or the only one. */
export function onlyFault(exchange: TapedExchange, tape: string): string {
  const { findings } = timelineOf(exchange);
  const broken = findings.filter(({ level }) => level === 'broken');
  const [only, ...more] = broken.length > 0 ? broken : findings;
  if (only !== undefined && more.length === 0) return only.quirk;
  throw new UsageError(`--fault NAME, or a command behind --, is needed: ${tape} ${tell(findings)}`);
}

function tell(findings: readonly { readonly quirk: string }[]): string {
  if (findings.length === 0) return 'shows nothing that the checks find';
  return `shows ${findings.map(({ quirk }) => quirk).join(', ')}`;
}

import type { Command } from 'commander';
import type { BridgeOptions } from '@turnwire/bridge';
import type { PageFile } from '@turnwire/inspector';
import { UsageError } from './exit.ts';
import { flag, numberFlag } from './flags.ts';
import { tapeOfRecords } from './tape-of-records.ts';

export interface InspectFlags {
  readonly inspect?: boolean;
  readonly inspectKeep: number;
}

export function addInspectFlags(command: Command): Command {
  return command
    .addOption(flag('--inspect', 'serve a page that shows what happens, and print the link to it', 'off'))
    .addOption(numberFlag('--inspect-keep <n>', 'exchanges that the page has when they are over', 1, 200));
}

/** @throws UsageError in a clone whose page was not built */
export async function inspectOptionsOf({
  inspect,
  inspectKeep: keep,
}: InspectFlags): Promise<Pick<BridgeOptions, 'inspect'>> {
  if (inspect !== true) return {};
  return { inspect: { page: await pageOfInspector(), keep, toTape: tapeOfRecords } };
}

/**
 * The files of the page. Their package is loaded for those who want it alone.
 *
 * @throws UsageError in a clone whose page was not built
 */
export async function pageOfInspector(): Promise<readonly PageFile[]> {
  const { pageFiles } = await import('@turnwire/inspector');
  try {
    return pageFiles();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the page of the inspector cannot be read');
  }
}

import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { ToolResult, ToolRun } from '@turnwire/agent/internal/tool';
import type { ChatView } from './chat-view.ts';
import { ownCommandText } from './own-command-text.ts';

/** Runs a command line as the model's would run, without asking. Fails with an error of one line where there are none. */
export type RunCommand = (command: string, run: ToolRun) => Promise<ToolResult>;

export interface OwnCommandOptions {
  readonly view: ChatView;
  readonly run: RunCommand;
  readonly command: string;
  readonly signal: AbortSignal;
}

/** Runs and shows a command of the person's own. Resolves with what the model is told of it; never rejects. */
export async function runOwnCommand({ view, run, command, signal }: OwnCommandOptions): Promise<string> {
  const callId = view.beginOwn(command);
  const result = await resultOf(run, command, {
    signal,
    output: (stream, delta) => view.take([{ type: 'tool.output', call_id: callId, stream, delta }]),
  });
  const { output, ok, exitCode } = result;
  view.take([
    {
      type: 'tool.finished',
      call_id: callId,
      name: '!',
      status: ok ? 'completed' : signal.aborted ? 'interrupted' : 'failed',
      output,
      ...(exitCode === undefined ? {} : { exit_code: exitCode }),
      duration_ms: view.elapsed(),
    },
  ]);
  return ownCommandText(command, output);
}

async function resultOf(run: RunCommand, command: string, toolRun: ToolRun): Promise<ToolResult> {
  try {
    return await run(command, toolRun);
  } catch (error) {
    return { ok: false, output: thrownText(error) };
  }
}

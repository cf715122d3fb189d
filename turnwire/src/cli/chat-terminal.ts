import { detectCapabilities, ProcessTerminal } from '@earendil-works/pi-tui';
import { ChatApp, type ChatBackend, type OpenWhat } from '../terminal/index.ts';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { ClipboardImages } from './clipboard-image.ts';
import type { CliContext } from './context.ts';
import { exitCode } from './exit.ts';
import { page } from './pager.ts';

export interface ChatTerminalOptions {
  readonly cli: CliContext;
  readonly backend: ChatBackend;
  readonly open: OpenWhat;
}

/** The chat on this process's terminal, until the person leaves; the exit code. */
export async function chatOnTerminal({ cli, backend, open }: ChatTerminalOptions): Promise<number> {
  const clipboard = new ClipboardImages();
  const app = new ChatApp({
    terminal: new ProcessTerminal(),
    backend,
    clock: systemClock,
    colour: (cli.env.NO_COLOR ?? '') === '',
    // Without asking tmux, which would take its time.
    links: detectCapabilities(() => false).hyperlinks,
    term: cli.env.TERM,
    open,
    clipboardImage: () => clipboard.take().catch(() => undefined),
    page: (text) => page(text, cli.env.PAGER ?? 'less'),
  });
  const gone = new AbortController();
  const onEnd = (): void => gone.abort();
  const stopListening = [
    cli.onSignal('SIGINT', () => app.interrupt()),
    cli.onSignal('SIGTERM', onEnd),
    // The terminal was closed.
    onStreamEnd(cli, onEnd),
  ];
  try {
    const end = await app.run(gone.signal);
    if (app.threadId !== undefined) cli.stderr.write(`To go on: turnwire chat --resume ${app.threadId}\n`);
    return end === 'done' ? exitCode.done : exitCode.interrupted;
  } finally {
    for (const stop of stopListening) stop();
    await clipboard.close();
  }
}

function onStreamEnd(cli: CliContext, listener: () => void): () => void {
  const { stdin, stdout } = cli;
  stdin.on('end', listener);
  stdout.on('error', listener);
  return () => {
    stdin.off('end', listener);
    stdout.off('error', listener);
  };
}

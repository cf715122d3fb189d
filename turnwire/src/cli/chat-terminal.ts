import { ChatApp, type ChatBackend, type OpenWhat } from '../terminal/index.ts';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { detectCapabilities, ProcessTerminal } from '../terminal/pi-tui.ts';
import { ClipboardImages } from './clipboard-image.ts';
import type { CliContext } from './context.ts';
import { exitCode } from './exit.ts';
import { JobControl } from './job-control.ts';
import { page } from './pager.ts';
import { tmuxHasLinks } from './tmux-links.ts';

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
    links: detectCapabilities(() => tmuxHasLinks(cli.env)).hyperlinks,
    term: cli.env.TERM,
    open,
    stop: () => jobs.stop(),
    clipboardImage: () => clipboard.take().catch(() => undefined),
    page: (text) => page(text, cli.env.PAGER ?? 'less'),
  });
  const gone = new AbortController();
  const onEnd = (): void => gone.abort();
  const jobs = new JobControl(cli, app);
  // The terminal was closed, which one learns by any of these.
  onStreamEnd(cli, onEnd);
  const stopListening = [
    cli.onSignal('SIGINT', () => app.interrupt()),
    cli.onSignal('SIGTERM', onEnd),
    cli.onSignal('SIGHUP', onEnd),
  ];
  try {
    const end = await app.run(gone.signal);
    if (app.threadId !== undefined) cli.stderr.write(`To go on: turnwire chat --resume ${app.threadId}\n`);
    return end === 'done' ? exitCode.done : exitCode.interrupted;
  } finally {
    for (const stop of stopListening) stop();
    jobs.close();
    await clipboard.close();
  }
}

/** For good: what is still written to a terminal that is gone fails as well, and nobody is left to tell. */
function onStreamEnd({ stdin, stdout, stderr }: CliContext, listener: () => void): void {
  stdin.on('end', listener);
  for (const stream of [stdin, stdout, stderr]) stream.on('error', listener);
}

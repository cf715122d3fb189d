import type { ChatTurns } from './chat-turns.ts';
import type { ChatView } from './chat-view.ts';
import { helpText } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { shortCount } from './text.ts';
import type { ViewState } from './view-state.ts';

export interface ChatCommandsOptions {
  readonly talk: Conversation;
  readonly turns: ChatTurns;
  readonly view: ChatView;
  readonly leave: () => void;
}

/** Does what a line says that begins with a slash. */
export class ChatCommands {
  readonly #options: ChatCommandsOptions;

  constructor(options: ChatCommandsOptions) {
    this.#options = options;
  }

  run(name: string, argument: string): void {
    const { turns, view, leave } = this.#options;
    if (name === 'help') view.notice('info', helpText);
    else if (name === 'cost') view.notice('info', costText(view.state));
    else if (name === 'exit') leave();
    else if (turns.isBusy) view.notice('warning', `/${name} has to wait: Esc stops what is running.`);
    else turns.do(() => this.#change(name, argument));
  }

  async #change(name: string, argument: string): Promise<void> {
    const { talk, turns } = this.#options;
    switch (name) {
      case 'model':
        talk.setModel(argument);
        return;
      case 'provider':
        await talk.setProvider(argument);
        return;
      case 'new':
        await talk.open({ type: 'new' });
        return;
      case 'resume':
        await talk.resume(argument);
        return;
      case 'fork':
        await talk.fork();
        return;
      case 'compact':
        if (talk.agent !== undefined) await turns.show(talk.agent.compact());
        return;
    }
  }
}

function costText({ total, requests }: ViewState): string {
  if (total === undefined) return requests === 0 ? 'Nothing was asked yet.' : 'The server tells no usage.';
  const { input_tokens: input, output_tokens: output } = total;
  const cached = total.input_tokens_details.cached_tokens;
  const reasoning = total.output_tokens_details.reasoning_tokens;
  return `${requests} requests: ${shortCount(input)} tokens in (${shortCount(cached)} cached), ${shortCount(output)} out (${shortCount(reasoning)} reasoning).`;
}

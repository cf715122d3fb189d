import type { ChatTurns } from './chat-turns.ts';
import type { ChatView } from './chat-view.ts';
import { helpText } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { costText, factsText } from './status-text.ts';
import type { Fact } from './view-state.ts';

export interface ChatCommandsOptions {
  readonly talk: Conversation;
  readonly turns: ChatTurns;
  readonly view: ChatView;
  readonly leave: () => void;
  /** Where and with whom one talks. */
  readonly status: () => readonly Fact[];
}

/** Does what a line says that begins with a slash. */
export class ChatCommands {
  readonly #options: ChatCommandsOptions;

  constructor(options: ChatCommandsOptions) {
    this.#options = options;
  }

  run(name: string, argument: string): void {
    const { talk, turns, view, leave, status } = this.#options;
    if (name === 'help') view.notice('info', helpText);
    else if (name === 'cost') view.notice('info', costText(view.state, talk.agent?.usage));
    else if (name === 'status') view.notice('info', factsText(status()));
    else if (name === 'exit') leave();
    else if (turns.isBusy) view.notice('warning', `/${name} has to wait: Esc stops what is running.`);
    else turns.do(() => this.#change(name, argument));
  }

  async #undo(): Promise<void> {
    const title = await this.#options.talk.agent?.undo();
    this.#options.view.notice(
      'info',
      title === undefined ? 'There is no patch to take back.' : `Taken back: ${title}.`,
    );
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
      case 'undo':
        await this.#undo();
        return;
      case 'compact':
        if (talk.agent !== undefined) await turns.show(talk.agent.compact());
        return;
    }
  }
}

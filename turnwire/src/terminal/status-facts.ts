import { visible } from '@turnwire/wire/internal/base/printable';
import type { ChatBackend } from './backend.ts';
import type { Conversation } from './conversation.ts';
import { contextText, costText } from './status-text.ts';
import type { Fact, ViewState } from './view-state.ts';

/** Where one works, and who answers. */
export function placeFacts({ provider, model }: Conversation, { folder, cwd }: ChatBackend): readonly Fact[] {
  return [
    { label: 'folder', text: visible(folder ?? cwd) },
    { label: 'model', text: visible(model === undefined || model === provider ? provider : `${model} at ${provider}`) },
  ];
}

/** What the model's commands may do, once it is known. */
export function sandboxFacts({ sandbox }: Conversation): readonly Fact[] {
  return sandbox === undefined ? [] : [{ label: 'sandbox', text: sandbox }];
}

/** All of it, for `/status`. */
export function statusFacts(talk: Conversation, backend: ChatBackend, view: ViewState): readonly Fact[] {
  const { agent, contextWindow } = talk;
  const context = contextText(view.usage, contextWindow);
  return [
    ...placeFacts(talk, backend),
    ...sandboxFacts(talk),
    { label: 'approvals', text: agent?.approvals ?? 'ask' },
    ...(agent?.threadId === undefined ? [] : [{ label: 'conversation', text: agent.threadId }]),
    ...(context === undefined ? [] : [{ label: 'context', text: context }]),
    { label: 'tokens', text: costText(view, agent?.usage) },
  ];
}

import { printable } from '@turnwire/wire/internal/base/printable';
import { Component, type JSX } from 'preact';
import type { Block, BlockKind, Conversation, Speaker } from './conversation.ts';

const speakers: Readonly<Record<Speaker, string>> = {
  system: 'System',
  developer: 'Developer',
  user: 'User',
  assistant: 'Assistant',
  tool: 'Tool',
};

const titles: Readonly<Record<BlockKind, string>> = {
  text: '',
  refusal: 'refuses',
  reasoning: 'reasoning',
  call: 'calls',
  result: 'result of',
  image: 'image',
  tools: 'tools offered:',
  other: '',
  note: '',
};

/** From this length on, in UTF-16 code units, what is not of the answer is folded. */
const FOLDED = 1200;

export function ConversationView({ conversation }: { readonly conversation: Conversation }): JSX.Element {
  const { blocks } = conversation;
  if (blocks.length === 0) return <p class="empty">Nothing to read yet.</p>;
  return (
    <div class="conversation">
      {blocks.map((block) => (
        <BlockView key={block.key} block={block} />
      ))}
    </div>
  );
}

function BlockView({ block }: { readonly block: Block }): JSX.Element {
  const { speaker, kind, title, state, isAnswer, text, image } = block;
  if (kind === 'note') return <p class="note">{printable(text.toString())}</p>;
  const isFolded = kind === 'tools' || (!isAnswer && text.length > FOLDED);
  const head = (
    <>
      <span class="speaker">{speakers[speaker]}</span> {titles[kind]}{' '}
      {title !== undefined && <code>{printable(title)}</code>}
      {state === 'void' && <span class="badge">void: asked again</span>}
      {state === 'dropped' && <span class="badge">dropped: not safe to run</span>}
    </>
  );
  const body = (
    <div class="text">
      {text.list.map((piece, at) => (
        <Piece key={at} text={piece} />
      ))}
      {image !== undefined && <img src={image} alt={`Image from ${speakers[speaker].toLowerCase()}`} loading="lazy" />}
    </div>
  );
  const name = `block ${speaker} ${kind} ${state}`;
  if (!isFolded) {
    return (
      <article class={name}>
        <h3>{head}</h3>
        {body}
      </article>
    );
  }
  return (
    <article class={name}>
      <details>
        <summary>
          {head} {kind !== 'tools' && <span class="size">{text.length.toLocaleString('en')} characters</span>}
        </summary>
        {body}
      </details>
    </article>
  );
}

/** Part of a text, and nothing but text. It is drawn again only when it changes. */
class Piece extends Component<{ readonly text: string }> {
  override shouldComponentUpdate({ text }: { readonly text: string }): boolean {
    return text !== this.props.text;
  }

  override render(): JSX.Element {
    const { text } = this.props;
    const shown = printable(text);
    return (
      <div class="piece" dir="auto">
        {shown.endsWith('\n') ? shown.slice(0, -1) : shown}
        {shown.length < text.length && <span class="left-out">hidden characters left out</span>}
      </div>
    );
  }
}

import { isObject } from '../base/json.ts';
import type { AssistantMessage, OutputTextPart } from '../model/items.ts';
import type { ThinkTags } from '../dialects/think-tags.ts';
import { ThinkReader } from './think-reader.ts';

/** A whole message taken apart. */
export interface SplitMessage {
  readonly reasoning: string;
  /** The message without it; the same object where there was none. */
  readonly rest: AssistantMessage;
  readonly found: boolean;
}

type Part = AssistantMessage['content'][number];

/** Takes the thought off the beginning of a whole message. Parts with no text left are left out. */
export function splitMessage(message: AssistantMessage, thinkTags: Exclude<ThinkTags, false>): SplitMessage {
  const reader = new ThinkReader(thinkTags);
  const content: Part[] = [];
  let reasoning = '';
  let text = '';
  const sink = {
    onReasoning: (piece: string) => void (reasoning += piece),
    onText: (piece: string) => void (text += piece),
  };
  const last = message.content.findLastIndex(isText);
  for (const [place, part] of message.content.entries()) {
    if (!isText(part)) {
      content.push(part);
      continue;
    }
    text = '';
    reader.push(part.text, sink);
    if (place === last) reader.end(sink);
    if (text === part.text) content.push(part);
    else if (text !== '') content.push(shortened(part, text));
  }
  const isWhole = reasoning === '' && !reader.found;
  return { reasoning, rest: isWhole ? message : { ...message, content }, found: reader.found };
}

function isText(part: Part): part is OutputTextPart {
  return isObject(part) && part.type === 'output_text' && typeof part.text === 'string';
}

/** The end of a part: what counts characters from its beginning counts from the new one. */
function shortened(part: OutputTextPart, text: string): OutputTextPart {
  const cut = part.text.length - text.length;
  if (!Array.isArray(part.annotations) || part.annotations.length === 0) return { ...part, text };
  return { ...part, text, annotations: part.annotations.map((annotation) => moved(annotation, cut)) };
}

const PLACES = ['start_index', 'end_index', 'index'] as const;

/** Places before the cut are none of the text's: `0` says that nobody knows, as in a list of sources. */
function moved<T extends object>(annotation: T, cut: number): T {
  const places = PLACES.flatMap((name) => {
    const at: unknown = Reflect.get(annotation, name);
    return typeof at === 'number' ? [[name, Math.max(0, at - cut)] as const] : [];
  });
  return { ...annotation, ...Object.fromEntries(places) };
}

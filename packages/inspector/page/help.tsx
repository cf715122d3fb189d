import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const keys: readonly (readonly [string, string])[] = [
  ['j  or  ↓', 'the next exchange'],
  ['k  or  ↑', 'the one before'],
  ['Enter', 'open it'],
  ['Escape', 'back to the list'],
  ['c', 'compare: then open another one'],
  ['/', 'search in the list'],
  ['p', 'plots'],
  ['+  −  0', 'zoom the timeline, when it has the focus; arrows move it'],
  ['Enter, Shift Enter', 'in the search of bytes and events: next, previous'],
  ['?', 'this help'],
];

const words: readonly (readonly [string, string])[] = [
  ['First event', 'from the client’s request to the first piece of the answer, retries included'],
  ['Server’s first event', 'the same from when the server was asked that answered: in the plots'],
  [
    'Tokens/s',
    'from the first piece to the last; with ~ pieces are counted, while no server has told how many tokens there were',
  ],
  ['Healed', 'what the server did wrong and the client never saw'],
  ['Waiting', 'for 2 s or more nothing has come that the client waits for, or a server is asked again later'],
  ['Silent', 'the answer had begun, and no byte comes from the server'],
  ['Finishing', 'the model said that it has finished, and the answer is not over yet'],
  ['Held open', 'the answer is finished, and the server does not end its body'],
  ['Usage', 'how many tokens the server counted: many servers send it behind the end of the answer'],
  ['Wires', 'the protocols of client and server: chat (Chat Completions), responses, messages (Anthropic)'],
  ['Tape', 'a file of one exchange that turnwire replay serves again'],
];

export function Help({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <h2>Words</h2>
      <dl>
        {words.map(([word, what]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}

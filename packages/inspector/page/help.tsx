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
        <div>
          <dt>First event</dt>
          <dd>from the client’s request to the first piece of the answer, retries included</dd>
        </div>
        <div>
          <dt>Tokens/s</dt>
          <dd>
            from the first piece to the last; with ~ pieces are counted, while no server has told how many tokens there
            were
          </dd>
        </div>
        <div>
          <dt>Healed</dt>
          <dd>what the server did wrong and the client never saw</dd>
        </div>
      </dl>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}

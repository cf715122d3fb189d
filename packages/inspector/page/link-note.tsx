import type { JSX } from 'preact';
import { localNow } from './clock.ts';
import type { Link } from './follow.ts';
import { useTick } from './store.ts';

/** Tells that the bridge is not there, and when it is tried again. */
export function LinkNote({ link, onRetry }: { readonly link: Link; readonly onRetry: () => void }): JSX.Element | null {
  const isLost = link.state === 'lost';
  useTick(1000, isLost);
  if (!isLost) return null;
  const seconds = Math.max(0, Math.ceil((link.retryAt - localNow()) / 1000));
  return (
    <div class="link-note">
      <span role="alert">{link.why}</span> <span>Trying again in {seconds} s.</span>{' '}
      <button type="button" onClick={onRetry}>
        Try now
      </button>
    </div>
  );
}

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { after } from './clock.ts';
import { curlUrl } from './exchange-records.ts';

/** How long the button says what became of it, in milliseconds. */
const SAID_MS = 2500;

/** Copies the request as a command; keys are not in it, the bridge masks them. */
export function CopyCurl({ id }: { readonly id: string }): JSX.Element {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    setSaid(await copyFrom(curlUrl(id)));
    after(SAID_MS, () => setSaid(''));
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {said === '' ? 'Copy as curl' : said}
      </button>
      <span class="only-heard" role="status">
        {said}
      </span>
    </>
  );
}

async function copyFrom(url: string): Promise<string> {
  try {
    const response = await fetch(url);
    if (!response.ok) return `Not there (${response.status})`;
    await navigator.clipboard.writeText(await response.text());
    return 'Copied';
  } catch {
    return 'Not copied';
  }
}

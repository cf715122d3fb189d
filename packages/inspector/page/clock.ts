/** The one file of the page that knows the time. Milliseconds everywhere. */

/** Unix time by the clock of this browser, with fractions, and never set back. */
export function localNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls again and again until the returned function is called. */
export function every(ms: number, call: () => void): () => void {
  const timer = setInterval(call, ms);
  return () => clearInterval(timer);
}

/** Calls once, unless the returned function is called before. */
export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

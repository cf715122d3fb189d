/**
 * Calls back when the process ends, unless it is killed. Nothing is waited for then.
 *
 * @returns what takes it back
 */
export function onProcessExit(callback: () => void): () => void {
  process.on('exit', callback);
  return () => void process.off('exit', callback);
}

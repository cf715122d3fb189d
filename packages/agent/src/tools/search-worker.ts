import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { parentPort, workerData } from 'node:worker_threads';
import { walk, type WalkRequest, type WalkResult } from './search-walk.ts';

// The thread behind `search` where ripgrep is not installed: one request, one answer.
parentPort?.postMessage(answer());

function answer(): WalkResult | { error: string } {
  try {
    return walk(workerData as WalkRequest);
  } catch (error) {
    return { error: `search failed: ${thrownText(error)}` };
  }
}

/** Loaded into the process of the bridge beforehand: tells its parent, when asked, what it holds, and at once what must not happen. */
export interface Sample {
  /** After a collection of garbage. */
  readonly heap: number;
  /** Buffers and the like, outside of the heap. */
  readonly outside: number;
  readonly rss: number;
  /** What keeps the event loop busy, by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

export type FromProbe = { readonly sample: Sample } | { readonly problem: string };

function sample(): Sample {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return { heap: heapUsed, outside: external, rss, handles };
}

const tell = (message: FromProbe): void => void process.send?.(message);

process.on('message', () => tell({ sample: sample() }));
process.channel?.unref();
process.on('disconnect', () => process.exit(1));
process.on('warning', ({ name, message }) => tell({ problem: `a warning: ${name}: ${message}` }));
process.on('uncaughtExceptionMonitor', (error, origin) =>
  tell({ problem: `${origin}: ${error.stack ?? error.message}` }),
);

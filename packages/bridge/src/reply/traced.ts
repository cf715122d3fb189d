import type { Encoding } from './encoding.ts';
import type { Sink } from './sink.ts';
import type { Trace } from '../observe/trace.ts';

/** A sink that also writes down what goes through it. */
export function traced(sink: Sink, encoding: Encoding, trace: Trace): Sink {
  return {
    get committed() {
      return sink.committed;
    },
    get full() {
      return sink.full;
    },
    setHeaders: (headers) => sink.setHeaders(headers),
    send: (events) => {
      trace.sent(encoding.toSse(events));
      sink.send(events);
    },
    drained: () => sink.drained(),
    flushed: () => sink.flushed(),
    heartbeat: () => sink.heartbeat(),
    finish: (events) => {
      trace.sent(encoding.toSse(events));
      sink.finish(events);
    },
    reject: (error) => {
      trace.sent(JSON.stringify(error));
      sink.reject(error);
    },
  };
}

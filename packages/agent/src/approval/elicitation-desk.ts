import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import type { AgentEvent } from '../events.ts';
import type { Elicit, Elicitation, ElicitationAnswer, Elicitor } from './elicitation.ts';
import type { OneByOne } from './one-by-one.ts';

/** The call in which a server asks. */
interface AskingCall {
  readonly callId: string;
  readonly emit: (event: AgentEvent) => void;
}

/** Questions that wait for a person; a server that asks for more is told no. */
const MAX_WAITING = 8;

/** Puts the questions of MCP servers to the person, and answers those that nobody can be asked. */
export class ElicitationDesk {
  readonly #elicitor: Elicitor | undefined;
  readonly #person: OneByOne;
  #waiting = 0;
  #count = 0;

  constructor(elicitor: Elicitor | undefined, person: OneByOne) {
    this.#elicitor = elicitor;
    this.#person = person;
  }

  /** The person is told once in each call that something was declined. */
  for(call: AskingCall): Elicit {
    let isTold = false;
    const decline = (server: string, why: string): ElicitationAnswer => {
      const message = `the MCP server ${server} asks for something and is told no: ${why}`;
      if (!isTold) call.emit({ type: 'warning', message });
      isTold = true;
      return { action: 'decline' };
    };
    return async (elicitation, { signal }) => {
      const { server, mode } = elicitation;
      if (mode === 'unfit') return decline(server, elicitation.problem);
      const elicitor = this.#elicitor;
      if (elicitor?.modes.includes(mode) !== true)
        return decline(server, `nobody can be asked here (“${short(elicitation.message)}”)`);
      if (this.#waiting >= MAX_WAITING) return decline(server, `${MAX_WAITING} questions wait for an answer`);
      this.#waiting += 1;
      const answer = await this.#person.next(() => this.#ask(elicitor, elicitation, { ...call, signal }));
      this.#waiting -= 1;
      return answer ?? decline(server, 'the question could not be asked');
    };
  }

  /** Nothing when it could not be asked. */
  async #ask(
    elicitor: Elicitor,
    elicitation: Elicitation,
    { callId, signal, emit }: AskingCall & { readonly signal: AbortSignal },
  ): Promise<ElicitationAnswer | undefined> {
    if (signal.aborted) return { action: 'cancel' };
    const elicitationId = `el_${++this.#count}`;
    const ids = { elicitation_id: elicitationId, call_id: callId };
    const { mode, server, message } = elicitation;
    emit({ type: 'elicitation.requested', ...ids, mode, server, message });
    const done = doneSignal(elicitation);
    const until = done === undefined ? signal : AbortSignal.any([signal, done]);
    const question = { ...elicitation, elicitationId, callId };
    const asked = elicitor.ask(question, { signal: until }).catch(() => 'failed' as const);
    const unanswered = (): ElicitationAnswer => ({ action: done?.aborted === true ? 'accept' : 'cancel' });
    const answer = (await unlessAborted(asked, until)) ?? unanswered();
    emit({ type: 'elicitation.resolved', ...ids, action: answer === 'failed' ? 'decline' : answer.action });
    return answer === 'failed' ? undefined : answer;
  }
}

/** What a call waits for needs no answer any more once the server says that it is done. */
function doneSignal(elicitation: Elicitation): AbortSignal | undefined {
  return elicitation.mode === 'url' && elicitation.isRequired ? elicitation.completed : undefined;
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

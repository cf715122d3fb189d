import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Usage } from '@turnwire/wire/internal/model/events';
import type { ExpectedRequest } from './expected-request.ts';
import type { RequestView } from './request-view.ts';

/** What a scripted model says: turns, each with the replies to one user message and its tool outputs. */
export interface Scenario {
  /** A name for messages to people. Default: none. */
  readonly name?: string;
  /** The model that `GET /v1/models` lists and answers carry, unless the request names one. Default `scripted`. */
  readonly model?: string;
  /** The answers, one turn for each user message. */
  readonly turns: readonly Turn[];
  /** The requests that have to come, and no others, the n-th like the n-th. Default: any. */
  readonly expect?: readonly ExpectedRequest[];
}

/**
 * The answers to one user message: the first to the message, the second to the tool outputs that follow it, and
 * so on. A turn with `when` is taken when it matches; the others in order, one per user message, the last for
 * all that follow. The choice depends on the request alone, so that a retry gets the same answer.
 */
export interface Turn {
  readonly when?: Match;
  readonly replies: readonly Reply[];
}

/** Every given condition has to hold. A string is contained in the text, whatever its case. */
export interface Match {
  /** The last user message. */
  readonly user?: string | RegExp;
  /** The instructions, or the system message. */
  readonly system?: string | RegExp;
  readonly model?: string | RegExp;
  /** Name of a tool that the request offers. */
  readonly tool?: string;
  /** The output of a tool call after the last user message. */
  readonly toolOutput?: string | RegExp;
  /** Anything else; must not throw. */
  readonly request?: (request: RequestView) => boolean;
}

/** One response of the model. */
export interface Reply {
  readonly parts: readonly ReplyPart[] | ((request: RequestView) => readonly ReplyPart[]);
  /** Default: counted from the texts. `null`: the answer has none. */
  readonly usage?: Usage | null;
  /** Default: `tool_calls` or `stop`, as the parts say. */
  readonly finish?: 'stop' | 'length' | 'content_filter';
  /** Ends the stream with this error after the parts; with `status`, answers with it instead. */
  readonly error?: ReplyError;
  /** Milliseconds before the response head. */
  readonly delayMs?: number;
  /** Milliseconds between two events. */
  readonly paceMs?: number;
  /** Response headers besides the mock's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Faults of this reply alone, e.g. `finish-then-hold` or `drip:20`. */
  readonly faults?: readonly string[];
}

/** An error in the words of the wire. */
export interface ReplyError {
  readonly status?: number;
  readonly code?: string;
  readonly type?: string;
  readonly message: string;
}

/** One item of a scripted answer; `chunk` is the length of its deltas in UTF-16 code units. */
export type ReplyPart =
  | { readonly type: 'text'; readonly text: string; readonly chunk?: number }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string; readonly summary?: boolean; readonly chunk?: number }
  | ToolCallPart
  /** Any other output item, sent as it is (Responses wire only). */
  | { readonly type: 'item'; readonly item: JsonObject };

/** A scripted tool call. */
export interface ToolCallPart {
  readonly type: 'tool_call';
  readonly name: string;
  /** Function arguments as JSON text or as a value; free text with `custom`. */
  readonly arguments?: unknown;
  /** Default: made from the request's number. */
  readonly callId?: string;
  readonly namespace?: string;
  /** A custom (freeform) tool: the arguments are its text. */
  readonly custom?: boolean;
  /** UTF-16 code units per delta. Default 8. */
  readonly chunk?: number;
}

/** The parts of a reply to one request. */
export function partsOf(reply: Reply, request: RequestView): readonly ReplyPart[] {
  return typeof reply.parts === 'function' ? reply.parts(request) : reply.parts;
}

/** True when every condition of the match holds. */
export function matches(match: Match, request: RequestView): boolean {
  return (
    holds(match.user, request.lastUserText) &&
    holds(match.system, request.systemText) &&
    holds(match.model, request.model) &&
    (match.tool === undefined || request.toolNames.includes(match.tool)) &&
    (match.toolOutput === undefined || request.toolOutputs.some((output) => holds(match.toolOutput, output.text))) &&
    (match.request === undefined || match.request(request))
  );
}

/** The reply to a request, or why there is none. */
export function selectReply(scenario: Scenario, request: RequestView): Reply | { readonly missing: string } {
  const turn = selectTurn(scenario, request);
  if (turn === undefined) return { missing: 'no turn of the scenario matches this request' };
  const reply = turn.replies[request.rounds];
  if (reply !== undefined) return reply;
  const last = turn.replies.at(-1);
  if (last !== undefined && !callsTools(last)) return last;
  return {
    missing: `the scenario's turn has ${turn.replies.length} replies and no answer to tool round ${request.rounds}`,
  };
}

function selectTurn(scenario: Scenario, request: RequestView): Turn | undefined {
  const conditional = scenario.turns.find((turn) => turn.when !== undefined && matches(turn.when, request));
  if (conditional !== undefined) return conditional;
  const inOrder = scenario.turns.filter((turn) => turn.when === undefined);
  return inOrder[Math.min(Math.max(request.userTurns, 1), inOrder.length) - 1];
}

function callsTools(reply: Reply): boolean {
  return typeof reply.parts !== 'function' && reply.parts.some((part) => part.type === 'tool_call');
}

function holds(condition: string | RegExp | undefined, text: string): boolean {
  if (condition === undefined) return true;
  if (typeof condition === 'string') return text.toLowerCase().includes(condition.toLowerCase());
  condition.lastIndex = 0; // a global expression must not remember the request before
  return condition.test(text);
}

import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { parseJson } from '@turnwire/wire/internal/base/json';
import type { ElicitationDesk } from '../approval/elicitation-desk.ts';
import type { Elicit } from '../approval/elicitation.ts';
import type { ApprovalGate } from '../approval/gate.ts';
import type { AgentEvent, ToolFinishedEvent, ToolStatus } from '../events.ts';
import type { ProjectDocs } from '../project/project-docs.ts';
import type { PatchStore } from '../patch/undo.ts';
import { outputFor } from '../thread/history.ts';
import { withNearDocs } from './near-docs.ts';
import type { OrderLock, Semaphore, Turnstile } from './order-lock.ts';
import type { Journal, ToolCall, ToolCallOutput } from '../thread/records.ts';
import { toldChange, type ToldCall } from '../thread/told.ts';
import { ToolInputError, type AgentTool, type ToolInput, type ToolPlan, type ToolResult } from '../tool.ts';

/** The result of a call. It always has an output, which goes to the model. */
export interface CallOutcome {
  readonly status: ToolStatus;
  readonly output: ToolCallOutput;
  /** What people were told of it. */
  readonly told: ToldCall;
}

export interface CallDeps {
  readonly tools: ReadonlyMap<string, AgentTool>;
  readonly gate: ApprovalGate;
  readonly elicitations: ElicitationDesk;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly lock: OrderLock;
  readonly slots: Semaphore;
  readonly signal: AbortSignal;
  readonly docs: ProjectDocs | undefined;
  readonly patches: PatchStore;
  readonly emit: (event: AgentEvent) => void;
}

type Ending = ToolResult & {
  readonly status: ToolStatus;
  /** Milliseconds that the tool ran: without the time in which it waited for its turn or for a person. */
  readonly ranFor?: number;
};

/** What people know of a call so far, and whether its start stands in the thread. */
interface Telling {
  told: ToldCall;
  isStarted: boolean;
}

type TellingDeps = CallDeps & { readonly telling: Telling };

export const INTERRUPTED_BEFORE = 'not run: the user interrupted the turn before it started';

/**
 * Takes one call from its arguments to its output: understand, ask, wait for its place in the order, run, write down.
 * Never rejects: every failure is an output for the model.
 */
export async function runCall(call: ToolCall, deps: CallDeps): Promise<CallOutcome> {
  const tool = call.namespace === undefined ? deps.tools.get(call.name) : undefined;
  const place = deps.lock.enter(tool?.parallel === false ? 'exclusive' : 'shared');
  const telling: Telling = { told: {}, isStarted: false };
  let ending: Ending;
  try {
    ending = await endingOf(call, tool, place, { ...deps, telling });
  } catch (error) {
    ending = failed(`the tool failed: ${thrownText(error)}`);
  } finally {
    place.leave();
  }
  const output = outputFor(call, ending.output);
  const end = endOf(ending);
  await writeDown(output, telling.isStarted ? end : { ...telling.told, ...end }, deps);
  deps.emit({
    type: 'tool.finished',
    call_id: call.call_id,
    name: call.name,
    output: ending.output,
    ...end,
  });
  const { steps } = telling.told;
  if (steps !== undefined && ending.status === 'completed') deps.emit({ type: 'plan.updated', steps });
  return { status: ending.status, output, told: { ...telling.told, ...end } };
}

function endOf({
  status,
  exitCode,
  ranFor = 0,
}: Ending): Pick<ToolFinishedEvent, 'status' | 'exit_code' | 'duration_ms'> {
  return { status, ...(exitCode === undefined ? {} : { exit_code: exitCode }), duration_ms: Math.round(ranFor) };
}

/** An output that cannot be written down is still told to the model: the tool did run. */
export async function writeDown(
  output: ToolCallOutput,
  told: ToldCall,
  { journal, emit }: Pick<CallDeps, 'journal' | 'emit'>,
): Promise<void> {
  try {
    await journal.append({ type: 'tool.finished', output, told }, { durable: true });
  } catch (error) {
    emit({ type: 'warning', message: `the output of a tool could not be written down: ${thrownText(error)}` });
  }
}

async function endingOf(
  call: ToolCall,
  tool: AgentTool | undefined,
  place: Turnstile,
  deps: TellingDeps,
): Promise<Ending> {
  if (tool === undefined) return refuse(call, undefined, unknownTool(call, deps), deps);
  // What must run alone is also planned only then: the call before it may change what it works on.
  if (!tool.parallel) await place.ready;
  let plan: ToolPlan;
  try {
    plan = await tool.plan(inputOf(call), { signal: deps.signal });
  } catch (error) {
    const text = error instanceof ToolInputError ? error.message : `${call.name} failed: ${thrownText(error)}`;
    return refuse(call, tool, text, deps);
  }
  emitStarted(call, tool, plan.title, deps, plan);
  const refusal = await approvalOf(call, plan, deps);
  if (refusal !== undefined) return refusal;
  await place.ready;
  await deps.slots.take();
  try {
    return await withNearDocs(await runPlan(call, plan, deps), plan, deps);
  } finally {
    deps.slots.give();
  }
}

async function runPlan(call: ToolCall, plan: ToolPlan, deps: TellingDeps): Promise<Ending> {
  const { journal, signal, emit, clock, telling } = deps;
  if (signal.aborted) return { status: 'interrupted', ok: false, output: INTERRUPTED_BEFORE };
  await journal.append({ type: 'tool.started', call, told: telling.told }, { durable: true });
  telling.isStarted = true;
  const begin = clock.now();
  const { elicit, asked } = timed(deps.elicitations.for({ callId: call.call_id, emit }), clock);
  const ending = await resultOf(plan, call, elicit, deps);
  if (ending.status === 'completed') await keepPatch(plan, deps);
  return { ...ending, ranFor: Math.max(0, clock.now() - begin - asked()) };
}

/** Adds up how long the person was waited for; of questions that wait at the same time each counts. */
function timed(elicit: Elicit, clock: Clock): { readonly elicit: Elicit; readonly asked: () => number } {
  let asked = 0;
  return {
    elicit: async (...question) => {
      const since = clock.now();
      const answer = await elicit(...question);
      asked += clock.now() - since;
      return answer;
    },
    asked: () => asked,
  };
}

/** A patch that cannot be taken back is applied all the same. */
async function keepPatch({ title, writes }: ToolPlan, { patches, emit }: CallDeps): Promise<void> {
  if (writes === undefined) return;
  try {
    await patches.push({ title, writes });
  } catch (error) {
    emit({ type: 'warning', message: `the patch cannot be taken back: ${thrownText(error)}` });
  }
}

async function resultOf(plan: ToolPlan, call: ToolCall, elicit: Elicit, { signal, emit }: CallDeps): Promise<Ending> {
  try {
    const output = (stream: 'stdout' | 'stderr', delta: string): void =>
      emit({ type: 'tool.output', call_id: call.call_id, stream, delta });
    const result = await plan.run({ signal, output, elicit });
    return { ...result, status: statusOf(result, signal) };
  } catch (error) {
    if (signal.aborted) return { status: 'interrupted', ok: false, output: 'stopped: the user interrupted the turn' };
    return failed(error instanceof ToolInputError ? error.message : `${call.name} failed: ${thrownText(error)}`);
  }
}

function statusOf(result: ToolResult, signal: AbortSignal): ToolStatus {
  if (result.ok) return 'completed';
  return signal.aborted ? 'interrupted' : 'failed';
}

async function approvalOf(call: ToolCall, plan: ToolPlan, deps: CallDeps): Promise<Ending | undefined> {
  if (plan.approval === undefined) return undefined;
  const { reason, rules } = plan.approval;
  const request = { callId: call.call_id, name: call.name, title: plan.title, reason, rules };
  const changes = plan.changes === undefined ? {} : { changes: plan.changes };
  const answer = await deps.gate.decide({ ...request, ...changes }, deps.signal, deps.emit);
  switch (answer.type) {
    case 'allowed':
      return undefined;
    case 'denied':
      return { status: 'denied', ok: false, output: answer.message };
    case 'interrupted':
      return { status: 'interrupted', ok: false, output: INTERRUPTED_BEFORE };
  }
}

function refuse(call: ToolCall, tool: AgentTool | undefined, text: string, deps: TellingDeps): Ending {
  emitStarted(call, tool, call.name, deps);
  return failed(text);
}

function emitStarted(
  call: ToolCall,
  tool: AgentTool | undefined,
  title: string,
  deps: TellingDeps,
  plan?: ToolPlan,
): void {
  const known = { kind: tool?.kind ?? 'other', title };
  const { locations, changes, sandbox, steps } = plan ?? {};
  const places = locations === undefined ? {} : { locations: [...locations] };
  const kept = { ...(changes && { changes: changes.map(toldChange) }), ...(steps && { steps: [...steps] }) };
  deps.telling.told = { ...known, ...places, ...kept };
  deps.emit({
    type: 'tool.started',
    call_id: call.call_id,
    name: call.name,
    ...known,
    ...places,
    ...(changes === undefined ? {} : { changes }),
    ...(sandbox === undefined ? {} : { sandbox }),
  });
}

function inputOf(call: ToolCall): ToolInput {
  if (call.type === 'custom_tool_call') return { type: 'text', text: call.input };
  // Servers send empty arguments for a tool without parameters.
  if (call.arguments.trim() === '') return { type: 'json', value: {} };
  const value = parseJson(call.arguments);
  if (value === undefined) throw new ToolInputError(`the arguments of ${call.name} are not JSON`);
  return { type: 'json', value };
}

function unknownTool(call: ToolCall, deps: CallDeps): string {
  const names = [...deps.tools.keys()];
  const name = call.namespace === undefined ? call.name : `${call.namespace}/${call.name}`;
  const known = names.length === 0 ? 'there are no tools' : `the tools are ${names.join(', ')}`;
  return `there is no tool "${name}": ${known}`;
}

function failed(output: string): Ending {
  return { status: 'failed', ok: false, output };
}

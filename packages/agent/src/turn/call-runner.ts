import type { Clock } from '@turnwire/wire/internal/base/clock';
import { parseJson } from '@turnwire/wire/internal/base/json';
import type { ApprovalGate } from '../approval/gate.ts';
import type { AgentEvent, ToolStatus } from '../events.ts';
import { outputFor } from '../thread/history.ts';
import type { OrderLock, Semaphore, Turnstile } from './order-lock.ts';
import type { Journal, ToolCall, ToolCallOutput } from '../thread/records.ts';
import { ToolInputError, type AgentTool, type ToolInput, type ToolPlan, type ToolResult } from '../tool.ts';

/** The result of a call. It always has an output, which goes to the model. */
export interface CallOutcome {
  readonly status: ToolStatus;
  readonly output: ToolCallOutput;
}

export interface CallDeps {
  readonly tools: ReadonlyMap<string, AgentTool>;
  readonly gate: ApprovalGate;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly lock: OrderLock;
  readonly slots: Semaphore;
  readonly signal: AbortSignal;
  readonly emit: (event: AgentEvent) => void;
}

type Ending = ToolResult & { readonly status: ToolStatus };

export const INTERRUPTED_BEFORE = 'not run: the user interrupted the turn before it started';

/**
 * Takes one call from its arguments to its output: understand, ask, wait for its place in the order, run, write down.
 * Never rejects: every failure is an output for the model.
 */
export async function runCall(call: ToolCall, deps: CallDeps): Promise<CallOutcome> {
  const started = deps.clock.now();
  const tool = call.namespace === undefined ? deps.tools.get(call.name) : undefined;
  const place = deps.lock.enter(tool?.parallel === false ? 'exclusive' : 'shared');
  let ending: Ending;
  try {
    ending = await endingOf(call, tool, place, deps);
  } catch (error) {
    ending = failed(`the tool failed: ${messageOf(error)}`);
  } finally {
    place.leave();
  }
  const output = outputFor(call, ending.output);
  await writeDown(output, deps);
  deps.emit({
    type: 'tool.finished',
    call_id: call.call_id,
    name: call.name,
    status: ending.status,
    output: ending.output,
    ...(ending.exitCode === undefined ? {} : { exit_code: ending.exitCode }),
    duration_ms: Math.round(deps.clock.now() - started),
  });
  return { status: ending.status, output };
}

/** An output that cannot be written down is still told to the model: the tool did run. */
export async function writeDown(
  output: ToolCallOutput,
  { journal, emit }: Pick<CallDeps, 'journal' | 'emit'>,
): Promise<void> {
  try {
    await journal.append({ type: 'tool.finished', output }, { durable: true });
  } catch (error) {
    emit({ type: 'warning', message: `the output of a tool could not be written down: ${messageOf(error)}` });
  }
}

async function endingOf(
  call: ToolCall,
  tool: AgentTool | undefined,
  place: Turnstile,
  deps: CallDeps,
): Promise<Ending> {
  if (tool === undefined) return refuse(call, undefined, unknownTool(call, deps), deps);
  // What must run alone is also planned only then: the call before it may change what it works on.
  if (!tool.parallel) await place.ready;
  let plan: ToolPlan;
  try {
    plan = await tool.plan(inputOf(call), { signal: deps.signal });
  } catch (error) {
    const text = error instanceof ToolInputError ? error.message : `${call.name} failed: ${messageOf(error)}`;
    return refuse(call, tool, text, deps);
  }
  emitStarted(call, tool, plan.title, deps, plan);
  const refusal = await approvalOf(call, plan, deps);
  if (refusal !== undefined) return refusal;
  await place.ready;
  await deps.slots.take();
  try {
    return await runPlan(call, plan, deps);
  } finally {
    deps.slots.give();
  }
}

async function runPlan(call: ToolCall, plan: ToolPlan, deps: CallDeps): Promise<Ending> {
  const { journal, signal, emit } = deps;
  if (signal.aborted) return { status: 'interrupted', ok: false, output: INTERRUPTED_BEFORE };
  await journal.append({ type: 'tool.started', call }, { durable: true });
  return resultOf(plan, call, signal, emit);
}

async function resultOf(
  plan: ToolPlan,
  call: ToolCall,
  signal: AbortSignal,
  emit: (event: AgentEvent) => void,
): Promise<Ending> {
  try {
    const output = (stream: 'stdout' | 'stderr', delta: string): void =>
      emit({ type: 'tool.output', call_id: call.call_id, stream, delta });
    const result = await plan.run({ signal, output });
    return { ...result, status: statusOf(result, signal) };
  } catch (error) {
    if (signal.aborted) return { status: 'interrupted', ok: false, output: 'stopped: the user interrupted the turn' };
    return failed(error instanceof ToolInputError ? error.message : `${call.name} failed: ${messageOf(error)}`);
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

function refuse(call: ToolCall, tool: AgentTool | undefined, text: string, deps: CallDeps): Ending {
  emitStarted(call, tool, call.name, deps);
  return failed(text);
}

function emitStarted(
  call: ToolCall,
  tool: AgentTool | undefined,
  title: string,
  deps: CallDeps,
  plan?: ToolPlan,
): void {
  deps.emit({
    type: 'tool.started',
    call_id: call.call_id,
    name: call.name,
    kind: tool?.kind ?? 'other',
    title,
    ...(plan?.locations === undefined ? {} : { locations: plan.locations }),
    ...(plan?.changes === undefined ? {} : { changes: plan.changes }),
    ...(plan?.sandbox === undefined ? {} : { sandbox: plan.sandbox }),
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

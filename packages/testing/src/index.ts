/** `turnwire/testing`: a scripted model server with every wire fault by name. */
export { startMock, type MockServer } from './server/server.ts';
export type { MockOptions } from './server/options.ts';
export type { MockTest } from './server/mock-test.ts';
export type { ExpectedRequest, FieldMatch } from './scenario/expected-request.ts';
export type { Verdict, VerdictCheck, VerdictProblem } from './server/verdict.ts';
export { listFaults, parseFault, type FaultInfo } from './faults/list.ts';
export type { Fault, FaultContext, FaultHooks, FaultLike, FaultSpec, FaultUse, FaultWire } from './faults/fault.ts';
export type { Frame, Head, Step } from './answer.ts';
export type { Match, Reply, ReplyError, ReplyPart, Scenario, ToolCallPart, Turn } from './scenario/scenario.ts';
export { fromAimockFixtures } from './load/aimock-fixtures.ts';
export { scenario, ScenarioBuilder } from './scenario/builder.ts';
export { loadScenario, type ScenarioInput } from './load/scenario-input.ts';
export type { RequestView, ToolOutputView } from './scenario/request-view.ts';
export type { AnswerPhase, AnswerState, RecordedRequest } from './server/recorder.ts';
export type { Expectation } from './server/expectations.ts';
export { defaultScenario, namedScenarios } from './scenario/default.ts';
export { MockUsageError, MockVerificationError } from './errors.ts';
export { recordTo, type RecordOptions, type TapeRecorder } from './tape/record.ts';
export { readTape, type Tape } from './tape/read.ts';
export { replayTape, type ReplayOptions, type TapeServer } from './tape/replay.ts';
export type {
  HeaderList,
  TapedChunk,
  TapedEnd,
  TapedExchange,
  TapedMessage,
  TapedRequest,
  TapedResponse,
  TapeEnding,
  TapeProblem,
} from './tape/tape.ts';

import type { Responses } from 'openai/resources/responses/responses';
import { describe, expectTypeOf, test } from 'vitest';
import type { Usage } from '../../packages/wire/src/model/events.ts';
import type {
  Annotation,
  AssistantMessage,
  CustomToolCall,
  CustomToolCallOutput,
  FunctionCall,
  FunctionCallOutput,
  InputImagePart,
  InputMessage,
  InputTextPart,
  OutputTextPart,
  ReasoningItem,
  RefusalPart,
} from '../../packages/wire/src/model/items.ts';
import type { FunctionTool } from '../../packages/wire/src/model/request.ts';

/**
 * Our types against those of the `openai` package. The proof is the compiler's: `tsc` checks this file, the runner only
 * reports it.
 */
type Input = Responses.ResponseInputItem;
type WithId<T> = T & { id: string };

describe('ours are assignable to those of the openai package', () => {
  test('items as input', () => {
    expectTypeOf<InputMessage>().toExtend<Input>();
    expectTypeOf<FunctionCall>().toExtend<Input>();
    expectTypeOf<FunctionCallOutput>().toExtend<Input>();
    expectTypeOf<CustomToolCall>().toExtend<Input>();
    expectTypeOf<CustomToolCallOutput>().toExtend<Input>();
    expectTypeOf<ReasoningItem>().toExtend<Input>();
    // Some servers give no ids; the package knows messages of an assistant only with one.
    expectTypeOf<WithId<AssistantMessage>>().toExtend<Input>();
  });

  test('items as output', () => {
    expectTypeOf<WithId<AssistantMessage>>().toExtend<Responses.ResponseOutputItem>();
    expectTypeOf<FunctionCall>().toExtend<Responses.ResponseOutputItem>();
    expectTypeOf<CustomToolCall>().toExtend<Responses.ResponseOutputItem>();
    expectTypeOf<ReasoningItem>().toExtend<Responses.ResponseOutputItem>();
  });

  test('parts and tools', () => {
    expectTypeOf<OutputTextPart>().toExtend<Responses.ResponseOutputText>();
    expectTypeOf<RefusalPart>().toExtend<Responses.ResponseOutputRefusal>();
    expectTypeOf<InputTextPart>().toExtend<Responses.ResponseInputText>();
    expectTypeOf<InputImagePart>().toExtend<Responses.ResponseInputImage>();
    expectTypeOf<Required<Mutable<FunctionTool>>>().toExtend<ToolParam>();
  });
});

describe('those of the openai package are assignable to ours', () => {
  test('items', () => {
    expectTypeOf<Responses.ResponseOutputMessage>().toExtend<AssistantMessage>();
    expectTypeOf<Responses.ResponseFunctionToolCall>().toExtend<FunctionCall>();
    expectTypeOf<Responses.ResponseCustomToolCall>().toExtend<CustomToolCall>();
    expectTypeOf<Responses.ResponseReasoningItem>().toExtend<ReasoningItem>();
  });

  test('parts', () => {
    expectTypeOf<Responses.ResponseOutputText>().toExtend<OutputTextPart>();
    expectTypeOf<Responses.ResponseOutputText['annotations'][number]>().toEqualTypeOf<Annotation>();
    expectTypeOf<Responses.ResponseOutputRefusal>().toExtend<RefusalPart>();
    expectTypeOf<Responses.ResponseInputText>().toExtend<InputTextPart>();
  });

  test('usage', () => {
    expectTypeOf<Responses.ResponseUsage>().toExtend<Usage>();
  });
});

test('usage has the shape of the package but for the cache writes, which other servers do not count', () => {
  type Details = Omit<Responses.ResponseUsage.InputTokensDetails, 'cache_write_tokens'>;
  type Reported = Omit<Responses.ResponseUsage, 'input_tokens_details'> & { input_tokens_details: Details };
  expectTypeOf<Usage>().toExtend<Reported>();
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** The package wants the fields that the API lets out. */
type ToolParam = Responses.FunctionTool;

import type {
  CreateElicitationRequest,
  CreateElicitationResponse,
  ElicitationPropertySchema,
  ElicitationSchema,
  PermissionOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import type { ElicitationAnswer, ElicitationChoice, ElicitationField, ElicitationRequest } from '@turnwire/agent';

/** A question of an MCP server as an editor shows it: beside the server's words stands whose they are. `id`: of that question alone. */
export function elicitationQuestion(
  id: string,
  sessionId: string,
  toolCallId: string,
  request: ElicitationRequest,
): CreateElicitationRequest {
  const scope = { sessionId, toolCallId, message: `The MCP server ${request.server} asks: ${request.message}` };
  if (request.mode === 'url') return { ...scope, mode: 'url', url: request.url, elicitationId: id };
  return { ...scope, mode: 'form', requestedSchema: schemaOf(request.fields) };
}

/** Anything but a clear yes or no is no decision. */
export function answerOf(response: CreateElicitationResponse): ElicitationAnswer {
  if (response.action === 'decline') return { action: 'decline' };
  if (!isAccepted(response)) return { action: 'cancel' };
  const { content } = response;
  return { action: 'accept', ...(content === undefined || content === null ? {} : { content }) };
}

/** Something is to be done at an address. */
export type AddressRequest = Extract<ElicitationRequest, { mode: 'url' }>;

const doneOptions = [
  { optionId: 'done', name: 'Done there: call it again', kind: 'allow_once' },
  { optionId: 'not_done', name: 'Not done: leave it', kind: 'reject_once' },
] as const satisfies readonly PermissionOption[];

/** Asks whether a person has done at an address what a call waits for; every editor has such a question. */
export function doneQuestion(
  sessionId: string,
  toolCallId: string,
  { server, url }: AddressRequest,
): RequestPermissionRequest {
  const title = `Are you done at ${url}? The MCP server ${server} waits for it.`;
  return { sessionId, toolCall: { toolCallId, title }, options: [...doneOptions] };
}

/** Anything but a clear yes is a no. */
export function answerOfDone(outcome: RequestPermissionResponse['outcome']): ElicitationAnswer {
  if (outcome.outcome === 'cancelled') return { action: 'cancel' };
  return { action: outcome.optionId === 'done' ? 'accept' : 'decline' };
}

type Accepted = Extract<CreateElicitationResponse, { action: 'accept' }>;

function isAccepted(response: CreateElicitationResponse): response is Accepted {
  return response.action === 'accept';
}

function schemaOf(fields: readonly ElicitationField[]): ElicitationSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, propertyOf(field)])),
    required: fields.filter(({ isRequired }) => isRequired).map(({ name }) => name),
  };
}

function propertyOf(field: ElicitationField): ElicitationPropertySchema {
  const { title, description = null } = field;
  const base = { title, description };
  switch (field.type) {
    case 'string': {
      const { minLength = null, maxLength = null, format = null } = field;
      return { ...base, type: 'string', minLength, maxLength, format, default: field.default ?? null };
    }
    case 'number':
    case 'integer': {
      const { type, minimum = null, maximum = null } = field;
      return { ...base, type, minimum, maximum, default: field.default ?? null };
    }
    case 'boolean':
      return { ...base, type: 'boolean', default: field.default ?? null };
    case 'choice':
      return { ...base, type: 'string', oneOf: field.choices.map(optionOf), default: field.default ?? null };
    case 'choices': {
      const { minItems = null, maxItems = null, choices } = field;
      const preset = field.default === undefined ? null : [...field.default];
      return { ...base, type: 'array', items: { anyOf: choices.map(optionOf) }, minItems, maxItems, default: preset };
    }
  }
}

function optionOf({ value, title }: ElicitationChoice): { const: string; title: string } {
  return { const: value, title };
}

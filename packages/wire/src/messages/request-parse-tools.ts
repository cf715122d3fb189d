import { isObject, stringOf, type JsonObject } from '../base/json.ts';
import type { Tool } from '../model/request.ts';
import { withoutUndefined } from '../request-body.ts';
import {
  isAbsent,
  optionalArray,
  optionalBoolean,
  optionalObject,
  optionalString,
  requireObject,
  requireString,
} from '../request-fields.ts';
import { carriedFrom, carriedWhole } from './carried.ts';
import { clientToolSchema } from './client-tools.ts';

/** A request's tools, and which of them no server but Anthropic's has. */
export interface ParsedTools {
  readonly list: readonly Tool[] | undefined;
  readonly serverNames: ReadonlySet<string>;
}

/** Functions, Anthropic's tools that a client runs as functions, and the rest, which only the same wire takes. */
export function parseTools(value: unknown): ParsedTools {
  const serverNames = new Set<string>();
  const list = optionalArray(value, 'tools')?.map((one, place) => {
    const given = requireObject(one, `tools[${place}]`);
    const tool = parseTool(given, `tools[${place}]`);
    if (tool.type !== 'function' && typeof given.name === 'string') serverNames.add(given.name);
    return tool;
  });
  return { list, serverNames };
}

function parseTool(tool: JsonObject, param: string): Tool {
  const type = optionalString(tool.type, `${param}.type`) ?? 'custom';
  if (type === 'custom') return functionTool(tool, param);
  const known = clientToolSchema(type);
  if (known !== undefined) {
    const name = requireString(tool.name, `${param}.name`);
    return { type: 'function', name, ...known, strict: false, ...carriedWhole(tool) };
  }
  if (type.startsWith('web_search_')) return webSearch(tool);
  return { ...withoutUndefined({ name: stringOf(tool.name) }), ...carriedWhole(tool), type };
}

function functionTool(tool: JsonObject, param: string): Tool {
  return {
    type: 'function',
    name: requireString(tool.name, `${param}.name`),
    ...withoutUndefined({
      description: optionalString(tool.description, `${param}.description`),
      parameters: optionalObject(tool.input_schema, `${param}.input_schema`),
    }),
    strict: optionalBoolean(tool.strict, `${param}.strict`) ?? false,
    ...carriedFrom(tool, ['name', 'description', 'input_schema', 'strict']),
  };
}

/** The search of the Responses API, for servers that have it. */
function webSearch(tool: JsonObject): Tool {
  const { allowed_domains, user_location } = tool;
  const filters = Array.isArray(allowed_domains) && allowed_domains.length > 0 ? { allowed_domains } : undefined;
  const location = isObject(user_location) && !isAbsent(user_location.type) ? user_location : undefined;
  return { ...withoutUndefined({ filters, user_location: location }), ...carriedWhole(tool), type: 'web_search' };
}

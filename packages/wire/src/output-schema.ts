import type { JsonObject } from './base/json.ts';
import type { OutputSchema } from './model/request.ts';
import { optionalBoolean, optionalString, requireObject, requireString } from './request-fields.ts';

/** The schema of an answer, from an object with `name`, `schema` and `strict`. */
export function outputSchemaOf(format: JsonObject, param: string): OutputSchema {
  const strict = optionalBoolean(format.strict, `${param}.strict`);
  const description = optionalString(format.description, `${param}.description`);
  return {
    name: requireString(format.name, `${param}.name`),
    schema: requireObject(format.schema, `${param}.schema`),
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

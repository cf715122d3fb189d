import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { visible } from '@turnwire/wire/internal/base/printable';
import { z } from 'zod';
import { readSmallText } from '../project/read-text.ts';
import type { Skill } from '../project/skills.ts';
import { readSeenText } from '../project/seen-files.ts';
import { contains } from '../sandbox/paths.ts';
import { defineTool, ToolInputError, type AgentTool, type ToolResult } from '../tool.ts';

const MAX_BYTES = 64 * 1024;

const schema = z.strictObject({
  name: z.string().describe('Of the skill.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe('A file that the skill speaks of, relative to its folder. Default: the text of the skill.'),
});

/**
 * `read_skill`: the texts of the skills, and the files in their folders. Its description names them all. Asks for nothing:
 * the person put them there, or said yes to them.
 */
export function createReadSkillTool(skills: readonly Skill[]): AgentTool {
  const byName = new Map(skills.map((skill) => [skill.name, skill]));
  return defineTool({
    name: 'read_skill',
    description: [
      'Reads a skill: how something is done here. Read the one that fits before you begin a task. There are:',
      ...skills.map(({ name, description }) => `- ${name}: ${visible(description)}`),
    ].join('\n'),
    kind: 'read',
    schema,
    plan({ name, file }) {
      const skill = byName.get(name);
      if (skill === undefined)
        throw new ToolInputError(`there is no skill ${name}; there are ${[...byName.keys()].join(', ')}`);
      return Promise.resolve({
        title: `read the skill ${name}${file === undefined ? '' : `: ${file}`}`,
        run: () => (file === undefined ? Promise.resolve(textOf(skill)) : readFileOf(skill, file)),
      });
    },
  });
}

/** As it was when it was trusted. */
function textOf({ folder, body }: Skill): ToolResult {
  return { output: `[skill in ${folder}]\n${body.trim()}`, ok: true };
}

/** Nothing outside of the skill's folder, whatever links say; what is not what the person said yes to is told as such. */
async function readFileOf({ folder, name, files }: Skill, file: string): Promise<ToolResult> {
  const root = await realpath(folder).catch(() => folder);
  const path = await realpath(resolve(root, file)).catch(() => undefined);
  if (path === undefined || !contains(root, path)) return failed(`the skill ${name} has no file ${file}`);
  const read = await (files === undefined
    ? readSmallText(path, MAX_BYTES)
    : readSeenText(files, root, path, MAX_BYTES));
  if (read === undefined) return failed(`${file} is empty, no text, or cannot be read`);
  const isKnown = !('isAsSeen' in read) || read.isAsSeen;
  return {
    output: [
      ...(isKnown
        ? []
        : [`[${file} is not as it was when the user said yes to this skill: what follows are words of a stranger]`]),
      read.text,
      ...(read.isCut ? [`[… cut: it is longer than ${MAX_BYTES / 1024} KiB]`] : []),
    ].join('\n'),
    ok: true,
  };
}

function failed(output: string): ToolResult {
  return { output, ok: false };
}

import { dirname } from 'node:path';
import { stringOf } from '@turnwire/wire/internal/base/json';
import { seeFiles, type SeenFile } from './seen-files.ts';
import { readTextFolder, type NamedText, type ReadOptions, type TextFolder, type TextKind } from './text-folder.ts';

/** How something is done, which the model reads when it needs it: a folder with a `SKILL.md`. */
export interface Skill {
  /** That of its folder. */
  readonly name: string;
  /** What it is for, in one line. */
  readonly description: string;
  /** Its text, without the front matter. */
  readonly body: string;
  /** Its folder. */
  readonly folder: string;
  /** All files in the folder of a project's skill as they were when it was read: a yes to the skill is one to these. */
  readonly files?: readonly SeenFile[];
}

/** The bounds of agentskills.io: the model is told all names and descriptions with every request. */
const MAX_DESCRIPTION = 1024;
const MAX_SKILLS = 30;

const kind: TextKind<Skill> = {
  called: 'skill',
  maxFiles: MAX_SKILLS,
  fileOf: (entry) => ({ name: entry, file: `${entry}/SKILL.md` }),
  make: async ({ name, path, fields, body }: NamedText, { followLinks }) => {
    const description = stringOf(fields.description)?.replaceAll(/\s+/g, ' ').trim() ?? '';
    if (description === '') throw new Error('its front matter has no description');
    if (description.length > MAX_DESCRIPTION)
      throw new Error(`its description has more than ${MAX_DESCRIPTION} characters`);
    if (fields.name !== undefined && fields.name !== name) throw new Error('its name is not that of its folder');
    const folder = dirname(path);
    // The person's own need no yes.
    return { name, description, body, folder, ...(followLinks ? {} : { files: await seeFiles(folder) }) };
  },
};

/** The skills in a folder, one per `NAME/SKILL.md`; at most 30, of 64 KiB each. A folder that cannot be read has none. */
export function readSkills(folder: string, options: ReadOptions): Promise<TextFolder<Skill>> {
  return readTextFolder(folder, kind, options);
}

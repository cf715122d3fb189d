/**
 * `node --import` this file: the process writes down what it loaded. At its exit the file that `MODULES_FILE` names gets
 * one JSON object: `modules`, the URL of every file that was loaded, and `cpuMs`, the processor time (user and system), both until then, or
 * until the first line on stdout that holds the text of `MODULES_UNTIL`. With `MODULES_COUNT=off` nothing is hooked, and
 * `modules` stays empty: for times. A package that `MODULES_MISSING` names is not found. With `MODULES_TERMINAL=on` stdin and
 * stdout say that they are a terminal, which they are not: for a chat.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const { MODULES_FILE, MODULES_UNTIL, MODULES_COUNT, MODULES_MISSING, MODULES_TERMINAL } = process.env;
const modules = new Set<string>();
let soFar: ReturnType<typeof measure> | undefined;

function measure(): { readonly modules: readonly string[]; readonly cpuMs: number } {
  const { user, system } = process.cpuUsage();
  return { modules: [...modules], cpuMs: (user + system) / 1000 };
}

if (MODULES_TERMINAL === 'on') {
  Object.assign(process.stdin, { isTTY: true });
  Object.assign(process.stdout, { isTTY: true, columns: 80, rows: 24 });
}

if (MODULES_COUNT !== 'off') {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== MODULES_MISSING) return nextResolve(specifier, context);
      throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' });
    },
    load(url, context, nextLoad) {
      if (url.startsWith('file:')) modules.add(url);
      return nextLoad(url, context);
    },
  });
}

if (MODULES_UNTIL !== undefined) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) => {
    if (String(chunk).includes(MODULES_UNTIL)) soFar ??= measure();
    return write(chunk, ...rest);
  };
}

process.on('exit', () => {
  if (MODULES_FILE !== undefined) writeFileSync(MODULES_FILE, JSON.stringify(soFar ?? measure()));
});

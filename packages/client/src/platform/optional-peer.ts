/**
 * Loads an optional peer of a package, and says how to get it when it is not installed.
 *
 * @param load - the import itself, so that its types stay
 * @param what - what needs the package, as the subject of the error's sentence
 * @throws Error with one sentence, the loader's own error as its cause
 */
export async function loadOptionalPeer<Module>(
  load: () => Promise<Module>,
  what: string,
  name: string,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`${what} needs the package ${name}, which is not installed: npm install ${name}`, { cause: error });
  }
}

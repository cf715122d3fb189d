import { rolldown } from 'rolldown';
import { root } from './run-tool.ts';

/** One module of this code and all that it imports, for any runtime. Imports begin at the repository's folder: `./packages/…`. */
export async function bundleOf(code: string, options: { readonly minify: boolean }): Promise<string> {
  const name = `${root}/bundle.ts`;
  const bundle = await rolldown({
    input: name,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === name ? id : null),
        load: (id) => (id === name ? { code, moduleType: 'ts' } : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: options.minify });
  return output[0].code;
}

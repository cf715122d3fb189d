/**
 * Builds the inspector's page: `packages/inspector/page` to one script, one style sheet and one page in
 * `packages/inspector/dist/page`. What the script has in it of others is named, with its licence, at its beginning.
 *
 * Several may run at once, and others may read meanwhile: each file is put in its place whole, the page as the last.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { root } from './run-tool.ts';

const page = join(root, 'packages', 'inspector', 'page');
const dist = join(root, 'packages', 'inspector', 'dist');
const modules = join(root, 'node_modules');

const { output } = await build({
  input: join(page, 'main.tsx'),
  platform: 'browser',
  resolve: { conditionNames: ['@turnwire/source', 'import', 'module', 'browser', 'default'] },
  tsconfig: join(page, 'tsconfig.json'),
  write: false,
  logLevel: 'warn',
  // No module: browsers name the Origin of those even to their own server, which lets no Origin pass.
  output: { file: 'app.js', format: 'iife', minify: true },
});
const [script] = output;
const packages = [...new Set(script.moduleIds.flatMap((id) => /node_modules\/([^/@]+)\//.exec(id)?.[1] ?? []))].sort();
mkdirSync(join(dist, 'page'), { recursive: true });
const out = mkdtempSync(join(dist, `building-${process.pid}-`));
writeFileSync(join(out, 'app.js'), `${packages.map(noticeOf).join('\n')}\n${script.code}`);
const styles = [join(modules, 'uplot', 'dist', 'uPlot.min.css'), join(page, 'app.css')];
writeFileSync(join(out, 'app.css'), styles.map((file) => readFileSync(file, 'utf8')).join('\n'));
cpSync(join(page, 'index.html'), join(out, 'index.html'));
for (const name of ['app.js', 'app.css', 'index.html']) renameSync(join(out, name), join(dist, 'page', name));
rmSync(out, { recursive: true });

/** The licence of a package as a comment. */
function noticeOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { version: string };
  return `/*!\n${name} ${version}\n\n${readFileSync(join(modules, name, 'LICENSE'), 'utf8').trim()}\n*/`;
}

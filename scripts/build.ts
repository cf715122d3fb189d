/** Emits `dist/`: the package's JavaScript and types, with an executable `turnwire`. */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, root } from './run-tool.ts';

rmSync(join(root, 'dist'), { recursive: true, force: true });
mustRun('tsc', ['-p', 'tsconfig.build.json']);
chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755);

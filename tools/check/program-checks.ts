// Checks by other programs: Biome and the TypeScript compiler.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check, CheckContext } from './check.ts';
import { missingPackages } from './missing-packages.ts';
import { outputFaults, runProgram } from './run-program.ts';

async function run({ root, signal }: CheckContext, script: string, args: readonly string[]): Promise<string[]> {
  return outputFaults(await runProgram(process.execPath, [join(root, script), ...args], { cwd: root, signal }));
}

const biome = 'node_modules/@biomejs/biome/bin/biome';
const tsc = 'node_modules/typescript/bin/tsc';

export const programChecks: readonly Check[] = [
  {
    name: 'format and lint',
    async run(context) {
      const faults = await run(context, biome, ['ci', '--colors=off', '--error-on-warnings', '.']);
      return faults.length === 0
        ? []
        : ['npm run format mends what is marked FIXABLE or is a matter of format', ...faults];
    },
  },
  { name: 'types', run: (context) => run(context, tsc, ['--noEmit', '--pretty', 'false', '-p', '.']) },
  {
    name: 'types of the dashboard',
    async run(context) {
      const there = await access(join(context.root, 'dashboard', 'tsconfig.json')).then(
        () => true,
        () => false,
      );
      if (!there) return [];
      const missing = await missingPackages(context.root, 'dashboard');
      return missing.length > 0 ? missing : run(context, tsc, ['--noEmit', '--pretty', 'false', '-p', 'dashboard']);
    },
  },
];

// npm run check: every check of the tree, each with its verdict and time; exit code 1 when one failed.
// `npm run check -- --base REF` also names breaking changes of the graph since the branch left REF.
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Check, CheckContext } from './check.ts';
import { dependencyCheck } from './dependencies.ts';
import { documentChecks } from './document-checks.ts';
import { graphChecks } from './graph-checks.ts';
import { programChecks } from './program-checks.ts';
import { outputFaults, runProgram } from './run-program.ts';
import { sourceChecks } from './source-checks.ts';
import { subgraphParts } from './subgraph-parts.ts';

const maxFaultsShown = 50;

/** Generates stale code first: the compiler needs it. */
const generatedCode: Check = {
  name: 'generated code',
  async run({ root, signal }) {
    const program = `import { generateCode } from ${JSON.stringify(join(root, 'bin/boot/generated-code.mjs'))};
      await generateCode({ root: ${JSON.stringify(root)}, progress: { start() {}, done() {} } });`;
    const args = ['--input-type=module', '--eval', program];
    return outputFaults(await runProgram(process.execPath, args, { cwd: root, signal }));
  },
};

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { base: { type: 'string' } } });
  const root = dirname(dirname(import.meta.dirname));
  const context: CheckContext = { root, base: values.base, signal: AbortSignal.timeout(300_000) };
  const first = await runCheck(generatedCode, context);
  // The compilers are separate processes, which run in parallel with the rest.
  const others = [...programChecks, ...sourceChecks, ...graphChecks, subgraphParts, ...documentChecks, dependencyCheck];
  const failed = [first, ...(await Promise.all(others.map((check) => runCheck(check, context))))].filter((ok) => !ok);
  process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `${failed.length} checks failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

async function runCheck(check: Check, context: CheckContext): Promise<boolean> {
  const startedAt = performance.now();
  const faults = await check.run(context).catch((error: unknown) => [String(error)]);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const lines = faults.slice(0, maxFaultsShown).map((fault) => `        ${fault}\n`);
  if (faults.length > maxFaultsShown) lines.push(`        and ${faults.length - maxFaultsShown} more\n`);
  process.stdout.write(`${faults.length === 0 ? 'ok    ' : 'FAILED'}  ${check.name} (${seconds} s)\n${lines.join('')}`);
  return faults.length === 0;
}

await main();

// npm run check: every check of the tree, each with its verdict and time; exit code 1 when one failed. Reports missing packages first, with the
// command that installs them.
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Check, CheckContext } from './check.ts';
import { missingPackages } from './missing-packages.ts';
import { outputFaults, runProgram } from './run-program.ts';

const maxFaultsShown = 50;

const packages: Check = { name: 'packages', run: ({ root }) => missingPackages(root, '.') };

/** Generates stale code first: the compiler and the other checks need it. */
const generatedCode: Check = {
  name: 'generated code',
  async run({ root, signal }) {
    const boot = JSON.stringify(join(root, 'bin/boot/generated-code.mjs'));
    const missing = await missingPackages(root, 'tools/generate');
    // Only what is stale is generated: without the generators nothing may be.
    const must =
      missing.length === 0
        ? ''
        : `if ((await staleFolders({ root: ${JSON.stringify(root)}, withDashboard: false })).length > 0) {
        console.log(${JSON.stringify(`generated/ is out of date, and ${missing[0]}`)});
        process.exit(1);
      }`;
    const program = `import { generateCode, staleFolders } from ${boot};
      ${must}
      await generateCode({ root: ${JSON.stringify(root)}, progress: { start: () => ({ done() {} }) } });`;
    const args = ['--input-type=module', '--eval', program];
    return outputFaults(await runProgram(process.execPath, args, { cwd: root, signal }));
  },
};

async function main(): Promise<void> {
  parseArgs({ options: {} });
  const root = dirname(dirname(import.meta.dirname));
  const context: CheckContext = { root, signal: AbortSignal.timeout(300_000) };
  for (const first of [packages, generatedCode]) {
    if (await runCheck(first, context)) continue;
    process.stdout.write('the other checks were not run: they need this one\n');
    process.exitCode = 1;
    return;
  }
  // The compilers are separate processes, which run in parallel with the rest.
  const failed = (await Promise.all((await otherChecks()).map((check) => runCheck(check, context)))).filter(
    (ok) => !ok,
  );
  process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `${failed.length} checks failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Imported late, because they import packages and generated code. */
async function otherChecks(): Promise<readonly Check[]> {
  const [programs, sources, graph, subgraphs, files, dependencies, firstChanges] = await Promise.all([
    import('./program-checks.ts'),
    import('./source-checks.ts'),
    import('./graph-checks.ts'),
    import('./subgraph-files.ts'),
    import('./generated-file-checks.ts'),
    import('./dependencies.ts'),
    import('./first-changes.ts'),
  ]);
  return [
    ...[...programs.programChecks, ...sources.sourceChecks, ...graph.graphChecks, subgraphs.subgraphFiles],
    ...[...files.generatedFileChecks, dependencies.dependencyCheck, firstChanges.firstChangesCheck],
  ];
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

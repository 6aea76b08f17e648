// `tidegate backends import`: registers the backends in a file, and updates existing ones. A second run changes nothing, and an interrupted run can
// be repeated.
import { carryOut, failIfAny, foreseen, type StepResult } from '../../apply/carry-out.ts';
import { type ImportFault, readImportFile } from '../../apply/import-file.ts';
import { driversDocument, existingDocument, planImport } from '../../apply/import-plan.ts';
import { dryRunOption, tryOut } from '../../apply/try-out.ts';
import { CommandFailure } from '../../failures.ts';
import { projectId } from '../../find.ts';
import { flag } from '../../option.ts';
import { readAll, readPages } from '../../pages.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../../remote-verb.ts';
import { allowedBy, secretOptions } from '../../secrets.ts';

type ImportCall = Pick<RemoteCall, 'client' | 'printer'> & { readonly options: { readonly json: boolean } };

export const importBackends = remoteVerb({
  summary: 'Register the backends in a YAML file, and update existing ones.',
  takes: ['FILE'],
  options: {
    'dry-run': dryRunOption,
    'renew-credentials': flag('Also send the credentials of existing backends, which can not be compared.'),
    project: commonOptions.project,
    ...secretOptions,
  },
  async run(call) {
    const { client, options, names, env } = call;
    const [path] = names;
    const read = await readImportFile(path, { env, allowed: allowedBy(options) });
    const scope = { projectId: await projectId(client, options.project) };
    const { relayDrivers: drivers } = await client.query(driversDocument, {});
    const existing = await readAll(readPages(client, existingDocument, scope, ({ backends }) => backends));
    const plan = planImport(read, existing, drivers, { ...scope, renewCredentials: options['renew-credentials'] });
    const faults = [...read.faults, ...plan.faults].sort((a, b) => a.line - b.line);
    if (faults.length > 0) return refuseFile(call, path, faults);
    if (options['dry-run'] === 'client') return printResults(call, plan.steps.map(foreseen));
    if (options['dry-run'] === 'server') {
      const results = await tryOut(client, plan.steps, { source: undefined });
      await printResults(call, results);
      return failIfAny({ results, lost: undefined }, 'the import', 'backends');
    }
    const outcome = await carryOut(client, plan.steps);
    await printResults(call, outcome.results);
    failIfAny(outcome, 'the import', 'backends');
  },
});

async function refuseFile(
  { options, printer }: ImportCall,
  path: string,
  faults: readonly ImportFault[],
): Promise<never> {
  if (options.json) await printer.json({ faults });
  const lines = faults.map(
    ({ line, backend, message }) => `${path}:${line}: ${backend === null ? '' : `${backend}: `}${message}`,
  );
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new CommandFailure(`${path} has ${count}; nothing was done\n${lines.join('\n')}`);
}

async function printResults({ options, printer }: ImportCall, results: readonly StepResult[]): Promise<void> {
  const shown = results.map(({ step, result, id, message }) => ({
    ...{ name: step.name, line: step.line, result },
    /** Names of fields, but no values. */
    changed: step.changes.map(({ field }) => field),
    ...{ id, message },
  }));
  if (options.json) return printer.json(shown);
  const rows = shown.map(({ name, line, result, changed, message }) => [
    name,
    String(line),
    result,
    message ?? (changed.join(', ') || '-'),
  ]);
  return printer.table(['NAME', 'LINE', 'RESULT', 'WHAT'], rows);
}

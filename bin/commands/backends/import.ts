// `tidegate backends import`: registers the backends that a file lists and updates existing ones. A second run changes nothing;
// an interrupted run can be repeated.
import { randomUUID } from 'node:crypto';
import type { ImportPayloadFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { flag } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../../cli/remote-verb.ts';
import type { ImportEntry } from './import-entry.ts';
import { type ImportFault, readImportFile } from './import-file.ts';
import { planImport, type Step } from './import-plan.ts';
import { hideSecrets } from './import-secrets.ts';

type Result =
  | 'CREATED'
  | 'UPDATED'
  | 'UNCHANGED'
  | 'WOULD_CREATE'
  | 'WOULD_UPDATE'
  /** The server refused it. */
  | 'REFUSED'
  /** The connection was lost: the next run shows whether it was done. */
  | 'NO_ANSWER'
  | 'NOT_DONE';

interface EntryResult {
  readonly name: string;
  readonly line: number;
  readonly result: Result;
  /** Names of fields; never values. */
  readonly changed: readonly string[];
  readonly id: string | null;
  readonly message: string | null;
}

const existingDocument = graphql(`
  query ImportBackends($projectId: ID, $first: Int, $after: String) {
    backends(projectId: $projectId, first: $first, after: $after) {
      nodes { ...ExistingBackend }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const driversDocument = graphql(`
  query ImportDrivers { relayDrivers { ...KnownDriver } }
`);

graphql(`
  fragment ImportPayload on BackendPayload { backend { id } userErrors { code message field } }
`);
const createDocument = graphql(`
  mutation ImportCreate($input: BackendCreateInput!) { backendCreate(input: $input) { ...ImportPayload } }
`);
const updateDocument = graphql(`
  mutation ImportUpdate($input: BackendUpdateInput!) { backendUpdate(input: $input) { ...ImportPayload } }
`);
type ImportCall = Pick<RemoteCall, 'client' | 'printer'> & { readonly options: { readonly json: boolean } };

export const importBackends = remoteVerb({
  summary: 'Register the backends that a YAML file lists, and update those that exist.',
  takes: ['FILE'],
  options: {
    'dry-run': flag('Show what would be done, and do nothing.'),
    'renew-credentials': flag('Also send the credentials of existing backends, which can not be compared.'),
    project: commonOptions.project,
  },
  async run(call) {
    const { client, options, names, env } = call;
    const [path] = names;
    const read = await readImportFile(path, env);
    const scope = { projectId: await projectId(client, options.project) };
    const { relayDrivers: drivers } = await client.query(driversDocument, {});
    const existing = await readAll(readPages(client, existingDocument, scope, ({ backends }) => backends));
    const plan = planImport(read, existing, drivers, { renewCredentials: options['renew-credentials'] });
    const faults = [...read.faults, ...plan.faults].sort((a, b) => a.line - b.line);
    if (faults.length > 0) return refuseFile(call, path, faults);
    if (options['dry-run']) return printResults(call, plan.steps.map(foreseen));
    await applyAll(call, plan.steps, scope);
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

/** One after the other; a refusal affects one backend only, a lost server all that follow. */
async function applyAll(context: ImportCall, steps: readonly Step[], scope: Scope): Promise<void> {
  const results: EntryResult[] = [];
  let lost: CommandFailure | undefined;
  for (const step of steps) {
    if (lost !== undefined) {
      results.push(resultOf(step, 'NOT_DONE'));
      continue;
    }
    try {
      results.push(await apply(context.client, step, scope));
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      lost = new CommandFailure(hide(error.message, step.found.entry), error.exitCode);
      results.push(resultOf(step, 'NO_ANSWER', { message: lost.message }));
    }
  }
  await printResults(context, results);
  if (lost !== undefined) throw new CommandFailure(`${lost.message}: run the import again`, lost.exitCode);
  const refused = results.filter(({ result }) => result === 'REFUSED').length;
  if (refused > 0) throw new CommandFailure(`${refused} of ${results.length} backends were refused`);
}

interface Scope {
  readonly projectId: string | undefined;
}

/** Throws CommandFailure when the server does not answer. */
async function apply(client: GraphClient, step: Step, scope: Scope): Promise<EntryResult> {
  const { entry } = step.found;
  const idempotencyKey = randomUUID();
  if (step.kind === 'nothing') return foreseen(step);
  if (step.kind === 'create') {
    const payload = await client.tryMutate(createDocument, { ...scope, ...entry, idempotencyKey });
    const message = refusal(payload, entry);
    if (message !== undefined) return resultOf(step, 'REFUSED', { message });
    return resultOf(step, 'CREATED', { id: payload.backend?.id ?? null });
  }
  const { id, version: expectedVersion, update } = step;
  const message = refusal(
    await client.tryMutate(updateDocument, { id, expectedVersion, ...update, idempotencyKey }),
    entry,
  );
  return message === undefined ? resultOf(step, 'UPDATED') : resultOf(step, 'REFUSED', { message });
}

function refusal({ userErrors }: ImportPayloadFragment, entry: ImportEntry): string | undefined {
  if (userErrors.length === 0) return undefined;
  return hide(userErrors.map(({ code, message }) => `${code}: ${message}`).join('; '), entry);
}

function hide(text: string, entry: ImportEntry): string {
  const { username: _public, ...secrets } = entry.credentials;
  return hideSecrets(
    text,
    Object.values(secrets).filter((value) => typeof value === 'string'),
  );
}

/** A step in the words of a dry run. */
function foreseen(step: Step): EntryResult {
  const words = { create: 'WOULD_CREATE', update: 'WOULD_UPDATE', nothing: 'UNCHANGED' } as const;
  return resultOf(step, words[step.kind]);
}

function resultOf(step: Step, result: Result, more: { id?: string | null; message?: string } = {}): EntryResult {
  return {
    name: step.found.entry.name,
    line: step.found.line,
    result,
    changed: step.kind === 'update' ? step.changed : [],
    id: more.id ?? (step.kind === 'create' ? null : step.id),
    message: more.message ?? null,
  };
}

async function printResults({ options, printer }: ImportCall, results: readonly EntryResult[]): Promise<void> {
  if (options.json) return printer.json(results);
  const rows = results.map(({ name, line, result, changed, message }) => [
    name,
    String(line),
    result,
    message ?? (changed.join(', ') || '-'),
  ]);
  return printer.table(['NAME', 'LINE', 'RESULT', 'WHAT'], rows);
}

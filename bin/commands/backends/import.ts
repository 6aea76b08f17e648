// `tidegate backends import`: registers what a file lists and brings what is there in line with it. Run twice, the second
// run changes nothing; a run that was cut off is run again.
import { randomUUID } from 'node:crypto';
import type { Action, ActionContext } from '../actions.ts';
import { projectId } from '../client/find.ts';
import type { GraphClient } from '../client/graph-client.ts';
import { readPages } from '../client/pages.ts';
import { CommandFailure } from '../command.ts';
import type { ImportEntry } from './import-entry.ts';
import { type ImportFault, readImportFile } from './import-file.ts';
import { type ExistingBackend, existingFields, type KnownDriver, planImport, type Step } from './import-plan.ts';
import { hideSecrets } from './import-secrets.ts';

type Result =
  | 'CREATED'
  | 'UPDATED'
  | 'UNCHANGED'
  | 'WOULD_CREATE'
  | 'WOULD_UPDATE'
  /** The server said no. */
  | 'REFUSED'
  /** The connection was lost: whether it was done shows the next run. */
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

interface Payload {
  readonly backend: { readonly id: string } | null;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[];
  }[];
}

const existingDocument = `query ($projectId: ID, $first: Int, $after: String) {
  backends(projectId: $projectId, first: $first, after: $after) {
    nodes { ${existingFields} } pageInfo { hasNextPage endCursor }
  }
}`;

const driversDocument = '{ relayDrivers { name optionsSchema credentialFields } }';

const payloadFields = 'backend { id } userErrors { code message field }';
const documents = {
  backendCreate: `mutation ($input: BackendCreateInput!) { payload: backendCreate(input: $input) { ${payloadFields} } }`,
  backendUpdate: `mutation ($input: BackendUpdateInput!) { payload: backendUpdate(input: $input) { ${payloadFields} } }`,
  backendHostKeyAccept: `mutation ($input: BackendHostKeyAcceptInput!) { payload: backendHostKeyAccept(input: $input) { ${payloadFields} } }`,
  backendCertificateAccept: `mutation ($input: BackendCertificateAcceptInput!) { payload: backendCertificateAccept(input: $input) { ${payloadFields} } }`,
} as const;

export const importOptions = {
  'dry-run': { help: 'import: show what would be done, and do nothing.' },
  'renew-credentials': {
    help: 'import: also send the credentials of backends that are there; they can not be compared.',
  },
} as const;

export const importBackends: Action = {
  takes: ['FILE'],
  async run(context) {
    const { client, args, names, env } = context;
    const path = names[0] ?? '';
    const read = await readImportFile(path, env);
    const project = args.text('project');
    const scope = project === undefined ? {} : { projectId: await projectId(client, project) };
    const { relayDrivers: drivers } = await client.query<{ relayDrivers: readonly KnownDriver[] }>(driversDocument);
    const existing: ExistingBackend[] = [];
    for await (const backend of readPages<ExistingBackend>(client, existingDocument, scope)) existing.push(backend);
    const renewCredentials = args.flag('renew-credentials');
    const plan = planImport(read, existing, drivers, { renewCredentials });
    const faults = [...read.faults, ...plan.faults].sort((a, b) => a.line - b.line);
    if (faults.length > 0) return refuseFile(context, path, faults);
    if (args.flag('dry-run')) return printResults(context, plan.steps.map(foreseen));
    await applyAll(context, plan.steps, scope);
  },
};

async function refuseFile(
  { json, printer }: ActionContext,
  path: string,
  faults: readonly ImportFault[],
): Promise<never> {
  if (json) await printer.json({ faults });
  const lines = faults.map(
    ({ line, backend, message }) => `${path}:${line}: ${backend === null ? '' : `${backend}: `}${message}`,
  );
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new CommandFailure(`${path} has ${count}; nothing was done\n${lines.join('\n')}`);
}

/** One after the other; a refusal concerns one backend only, a lost server all that come after. */
async function applyAll(context: ActionContext, steps: readonly Step[], scope: object): Promise<void> {
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

/** Throws CommandFailure when there is no answer. */
async function apply(client: GraphClient, step: Step, scope: object): Promise<EntryResult> {
  const { entry } = step.found;
  if (step.kind === 'nothing') return foreseen(step);
  if (step.kind === 'create') {
    const payload = await send(client, 'backendCreate', { ...scope, ...entry });
    const message = refusal(payload, entry);
    if (message !== undefined) return resultOf(step, 'REFUSED', { message });
    return resultOf(step, 'CREATED', { id: payload.backend?.id ?? null });
  }
  const { id, version, update, changed } = step;
  const { hostKeySha256, certificateSha256 } = entry;
  const mutations: [keyof typeof documents, object][] = [];
  if (update !== null) mutations.push(['backendUpdate', { id, expectedVersion: version, ...update }]);
  // After the address, which they belong to.
  if (changed.includes('hostKeySha256')) mutations.push(['backendHostKeyAccept', { id, hostKeySha256 }]);
  if (changed.includes('certificateSha256')) mutations.push(['backendCertificateAccept', { id, certificateSha256 }]);
  for (const [name, input] of mutations) {
    const message = refusal(await send(client, name, input), entry);
    if (message !== undefined) return resultOf(step, 'REFUSED', { message: `${name}: ${message}` });
  }
  return resultOf(step, 'UPDATED');
}

async function send(client: GraphClient, mutation: keyof typeof documents, input: object): Promise<Payload> {
  const variables = { input: { ...input, idempotencyKey: randomUUID() } };
  return (await client.query<{ payload: Payload }>(documents[mutation], variables)).payload;
}

function refusal({ userErrors }: Payload, entry: ImportEntry): string | undefined {
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

/** What a dry run says of a step. */
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

async function printResults({ json, printer }: ActionContext, results: readonly EntryResult[]): Promise<void> {
  if (json) return printer.json(results);
  const rows = results.map(({ name, line, result, changed, message }) => [
    name,
    String(line),
    result,
    message ?? (changed.join(', ') || '-'),
  ]);
  return printer.table(['NAME', 'LINE', 'RESULT', 'WHAT'], rows);
}

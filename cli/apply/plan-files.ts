// The plan for the files of `-f`: reads and checks them, reads the existing objects, and lists the necessary steps. `apply` carries them out, and
// `diff` only shows them.

import { CommandFailure } from '../failures.ts';
import { projectId } from '../find.ts';
import type { GraphClient } from '../graph-client.ts';
import { flag, neededText, type Values } from '../option.ts';
import { readAll, readPages } from '../pages.ts';
import { commonOptions, type RemoteCall } from '../remote-verb.ts';
import { allowedBy, type SecretPlaces, secretOptions } from '../secrets.ts';
import { readExisting } from './existing.ts';
import { type FileLines, readFiles } from './files.ts';
import { type ImportEntry, readEntry } from './import-entry.ts';
import { driversDocument, existingDocument, planImport } from './import-plan.ts';
import { appliedKinds } from './kind-manifest.ts';
import type { ApplyFault, WantedManifest } from './manifest.ts';
import { readManifests } from './manifests.ts';
import { planOwned, sourceOption } from './owned.ts';
import { type Plan, planManifests } from './plan.ts';
import { planKinds } from './plan-kinds.ts';
import type { Step } from './step.ts';

/** Options of apply and diff. */
export const planOptions = {
  file: {
    ...neededText(
      'PATH',
      'A file of documents, each with its kind; a folder with *.yaml, *.yml and *.json; or - for standard input.',
    ),
    short: 'f',
  },
  recursive: flag('Also read the folders in the folder.', { short: 'R' }),
  ...secretOptions,
  source: sourceOption,
  prune: flag(
    'Delete what the files no longer have: parts of load balancers, and with --source whole objects that this source made.',
  ),
  project: commonOptions.project,
} as const;

type PlanCall = Pick<RemoteCall, 'client' | 'printer' | 'env' | 'stdin' | 'stderr' | 'signal'> & {
  readonly options: {
    readonly file: string;
    readonly recursive: boolean;
    readonly source: string | undefined;
    readonly prune: boolean;
    readonly project: string | undefined;
    readonly json: boolean;
  } & Values<typeof secretOptions>;
};

export interface FilePlan {
  readonly changes: readonly Step[];
  /** Whole objects that are missing from the files now. */
  readonly deletions: readonly Step[];
  /** Objects of the source. */
  readonly count: number;
  /** Maps the lines of steps to files. */
  readonly lines: FileLines;
}

/** Plans the steps. Throws CommandFailure with all faults of the files. */
export async function planFiles(
  call: PlanCall,
  { renewCredentials }: { readonly renewCredentials: boolean },
): Promise<FilePlan> {
  const { client, options } = call;
  const places = { env: call.env, allowed: allowedBy(options) };
  const { source, prune } = options;
  const files = await readFiles(options.file, { recursive: options.recursive, stdin: call.stdin, signal: call.signal });
  const { manifests, faults, lines } = await readManifests(files, places);
  if (faults.length > 0) return refuseFiles(call, lines, faults);
  const inProject = await projectId(client, options.project);
  const of = (isOne: (kind: string) => boolean) => manifests.filter(({ kind }) => isOne(kind));
  const isBackend = (kind: string) => kind === 'Backend';
  const isOfRegistry = (kind: string) => appliedKinds.includes(kind);
  const others = of((kind) => !isBackend(kind) && !isOfRegistry(kind));
  const plans = [
    await planBackends(client, of(isBackend), places, { projectId: inProject, renewCredentials }),
    await planOthers(client, others, { projectId: inProject, prune }),
  ];
  const before = plans.flatMap(({ steps }) => steps);
  plans.push(await planKinds(client, of(isOfRegistry), { projectId: inProject, renewCredentials, before }));
  const found = plans.flatMap((plan) => plan.faults);
  if (found.length > 0) return refuseFiles(call, lines, found);
  const changes = plans.flatMap((plan) => plan.steps);
  if (source === undefined) return { changes, deletions: [], count: 0, lines };
  const owned = await planOwned(client, changes, { source, projectId: inProject, prune });
  if (owned.faults.length > 0) return refuseFiles(call, lines, owned.faults);
  if (owned.elsewhere > 0) call.stderr.write(`tidegate: ${elsewhereText(owned.elsewhere, inProject)}\n`);
  return { changes, deletions: owned.deletions, count: owned.count, lines };
}

function elsewhereText(count: number, projectId: string | undefined): string {
  const objects = count === 1 ? '1 object' : `${count} objects`;
  return projectId === undefined
    ? `${objects} of the source in projects are left alone: prune them with --project`
    : `${objects} of the source outside of this project are left alone: prune those of the installation without --project`;
}

async function planBackends(
  client: GraphClient,
  manifests: readonly WantedManifest[],
  places: Omit<SecretPlaces, 'folder'>,
  options: { readonly projectId: string | undefined; readonly renewCredentials: boolean },
): Promise<Plan> {
  if (manifests.length === 0) return { steps: [], faults: [] };
  const entries = [];
  const faulty = [];
  const faults: ApplyFault[] = [];
  for (const { value, line, lineOf, name, folder } of manifests) {
    const { entry, faults: found } = await readEntry(value, { folder, ...places });
    faults.push(...found.map(({ path, message }) => ({ line: lineOf(path), document: `Backend ${name}`, message })));
    if (found.length === 0) entries.push({ line, entry: entry as ImportEntry, lineOf });
    else faulty.push({ line, entry, lineOf });
  }
  const { relayDrivers: drivers } = await client.query(driversDocument, {});
  const scope = { projectId: options.projectId };
  const existing = await readAll(readPages(client, existingDocument, scope, ({ backends }) => backends));
  const plan = planImport({ entries, faulty }, existing, drivers, options);
  const planned = plan.faults.map(({ line, backend, message }) => ({ line, document: `Backend ${backend}`, message }));
  return { steps: plan.steps, faults: [...faults, ...planned] };
}

async function planOthers(
  client: GraphClient,
  manifests: readonly WantedManifest[],
  options: { readonly projectId: string | undefined; readonly prune: boolean },
): Promise<Plan> {
  if (manifests.length === 0) return { steps: [], faults: [] };
  const of = (...kinds: readonly string[]) => manifests.filter(({ kind }) => kinds.includes(kind));
  const existing = await readExisting(client, options.projectId, {
    balancers: of('LoadBalancer', 'AutoscalingPolicy').map(({ name }) => name),
    certificates: of('LoadBalancer', 'TlsCertificate').length > 0,
    subnets: of('LoadBalancer', 'ProjectSubnet').length > 0,
  });
  return planManifests(manifests, existing, options);
}

async function refuseFiles(
  { options, printer }: PlanCall,
  lines: FileLines,
  found: readonly ApplyFault[],
): Promise<never> {
  const faults = [...found]
    .sort((a, b) => a.line - b.line)
    .map(({ line, document, message }) => {
      const place = lines.placeOf(line);
      return { file: place?.file ?? options.file, line: place?.line ?? 1, document, message };
    });
  if (options.json) await printer.json({ faults });
  const texts = faults.map(
    ({ file, line, document, message }) => `${file}:${line}: ${document === null ? '' : `${document}: `}${message}`,
  );
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new CommandFailure(`${options.file} has ${count}; nothing was done\n${texts.join('\n')}`);
}

// `tidegate apply -f FILE`: makes objects of all kinds as a file wants them. A second run changes nothing; an interrupted run can be
// repeated. `tidegate diff -f FILE` is what apply would do.
import { dirname, resolve } from 'node:path';
import type { LoadBalancerChangeInput } from '../../generated/cli/graphql.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { carryOutAll, failIfAny, foreseen, type Outcome, type StepResult } from '../apply/carry-out.ts';
import { readExisting } from '../apply/existing.ts';
import { appliedKinds } from '../apply/kind-manifest.ts';
import type { ApplyFault, WantedManifest } from '../apply/manifest.ts';
import { mostManifestBytes, readManifests } from '../apply/manifests.ts';
import { isOfBalancers, type MutationName } from '../apply/mutations.ts';
import { deletesMany, planOwned, sourceOption } from '../apply/owned.ts';
import { type Plan, planManifests } from '../apply/plan.ts';
import { planKinds } from '../apply/plan-kinds.ts';
import type { SecretPlaces } from '../apply/secrets.ts';
import { readText } from '../apply/source.ts';
import { awaited, type Change, type Step } from '../apply/step.ts';
import { dryRunOption, tryOut } from '../apply/try-out.ts';
import { askOnTerminal } from '../ask-terminal.ts';
import { CommandFailure } from '../failures.ts';
import { projectId } from '../find.ts';
import type { GraphClient } from '../graph-client.ts';
import { flag, neededText } from '../option.ts';
import { readAll, readPages } from '../pages.ts';
import { progressOn } from '../progress.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../remote-verb.ts';
import type { WaitingCall } from '../wait.ts';
import { driversDocument, existingDocument } from './backends/import.ts';
import { type ImportEntry, readEntry } from './backends/import-entry.ts';
import { planImport } from './backends/import-plan.ts';
import { settled } from './loadbalancers/balancer.ts';
import { type Preview, inShort as previewInShort, previewOption, readPreview } from './loadbalancers/preview.ts';

type ApplyCall = Pick<RemoteCall, 'client' | 'printer'> & { readonly options: { readonly json: boolean } };

export const fileOption = { ...neededText('FILE', 'Documents, each with its kind.'), short: 'f' };

export const pruneOption = flag(
  'Delete what the file no longer has: parts of load balancers, and with --source whole objects that this source made.',
);

export const apply = remoteVerb({
  summary: 'Create and update what a YAML or JSON file describes, of all kinds.',
  takes: [],
  options: {
    file: fileOption,
    'dry-run': dryRunOption,
    preview: previewOption,
    source: sourceOption,
    prune: pruneOption,
    yes: flag('Delete with --prune without a question, also more than a fifth of the objects of the source.'),
    'renew-credentials': flag('Also send the credentials of existing backends, which can not be compared.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options } = call;
    const { prune, source, 'renew-credentials': renewCredentials } = options;
    const plan = await planFile(call, { prune, source, renewCredentials });
    const steps = [...plan.changes, ...plan.deletions];
    if (options.preview) return printResults(call, steps.map(foreseen), await previewsOf(client, steps));
    if (options['dry-run'] === 'client') return printResults(call, steps.map(foreseen));
    const progress = progressOn(call.stderr, 'objects');
    if (options['dry-run'] === 'server') {
      const results = await tryOut(client, steps, { source, onProgress: progress.at }).finally(progress.end);
      await printResults(call, results);
      return failIfAny({ results, lost: undefined }, 'it', 'objects');
    }
    if (!options.yes) await mayDelete(call, plan);
    const { signal } = call;
    const outcome = await carryOutAll(client, plan, { source, signal, onProgress: progress.at }).finally(progress.end);
    await printResults(call, outcome.results);
    failIfAny(outcome, 'it', 'objects');
    await untilSettled(call, outcome);
  },
});

type FileCall = ApplyCall &
  Pick<RemoteCall, 'env'> & { readonly options: { readonly file: string; readonly project: string | undefined } };

interface PlanWish {
  readonly prune: boolean;
  readonly source: string | undefined;
  readonly renewCredentials: boolean;
}

interface FilePlan {
  readonly changes: readonly Step[];
  /** Whole objects that the file no longer has. */
  readonly deletions: readonly Step[];
  /** Objects of the source. */
  readonly count: number;
}

/** What is to be done for a file. Throws CommandFailure with all its faults. */
export async function planFile(call: FileCall, { prune, source, renewCredentials }: PlanWish): Promise<FilePlan> {
  const { client, options, env } = call;
  const { file: path } = options;
  const places = { folder: dirname(resolve(path)), env };
  const { manifests, faults } = await readManifests(await readText(path, mostManifestBytes), places);
  if (faults.length > 0) return refuseFile(call, path, faults);
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
  if (found.length > 0) return refuseFile(call, path, found);
  const changes = plans.flatMap((plan) => plan.steps);
  if (source === undefined) return { changes, deletions: [], count: 0 };
  const { deletions, count, faults: taken } = await planOwned(client, changes, { source, projectId: inProject, prune });
  return taken.length > 0 ? refuseFile(call, path, taken) : { changes, deletions, count };
}

/** A person is asked before whole objects are deleted; a program may delete a few. Throws CommandFailure. */
async function mayDelete(call: Pick<RemoteCall, 'stdout' | 'signal'>, plan: FilePlan): Promise<void> {
  const { deletions, count } = plan;
  if (deletions.length === 0) return;
  const names = deletions.slice(0, mostNamed).map(({ kind, name }) => `${kind} ${name}`);
  const more = deletions.length > mostNamed ? [`and ${deletions.length - mostNamed} more`] : [];
  const what = `${deletions.length} of ${count} objects of the source: ${[...names, ...more].join(', ')}`;
  if (call.stdout.isTTY === true) {
    const text = `Delete ${what}? [y/N] `;
    const [answer = ''] = await askOnTerminal([{ text, isSecret: false }], 'give --yes', call.signal);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('nothing was done');
  } else if (deletesMany(plan))
    throw new CommandFailure(
      `--prune would delete ${what}; that is more than a fifth, so nothing was done: look at "tidegate diff --prune", then give --yes`,
    );
}

const mostNamed = 20;

/** With `--wait`: until the last write is on the standby, and every load balancer of the file is ACTIVE. All share the seconds. */
async function untilSettled(call: WaitingCall, { results, commit }: Outcome): Promise<void> {
  const { wait } = call.options;
  if (wait === undefined) return;
  const untilMs = performance.now() + wait * 1000;
  const left = () => ({ ...call, options: { wait: Math.max(1, Math.round((untilMs - performance.now()) / 1000)) } });
  await settled(left(), commit);
  for (const { step, id } of results) if (step.kind === 'LoadBalancer' && id !== null) await settled(left(), null, id);
}

async function planBackends(
  client: GraphClient,
  manifests: readonly WantedManifest[],
  places: SecretPlaces,
  options: { readonly projectId: string | undefined; readonly renewCredentials: boolean },
): Promise<Plan> {
  if (manifests.length === 0) return { steps: [], faults: [] };
  const entries = [];
  const faulty = [];
  const faults: ApplyFault[] = [];
  for (const { value, line, lineOf, name } of manifests) {
    const { entry, faults: found } = await readEntry(value, places);
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

async function refuseFile({ options, printer }: ApplyCall, path: string, found: readonly ApplyFault[]): Promise<never> {
  const faults = [...found].sort((a, b) => a.line - b.line);
  if (options.json) await printer.json({ faults });
  const lines = faults.map(
    ({ line, document, message }) => `${path}:${line}: ${document === null ? '' : `${document}: `}${message}`,
  );
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new CommandFailure(`${path} has ${count}; nothing was done\n${lines.join('\n')}`);
}

const notPreviewed: ReadonlySet<MutationName> = new Set([
  ...(['backendCreate', 'backendUpdate', 'projectSubnetCreate', 'tlsCertificateCreate'] as const),
  ...(['tlsCertificateUpdate', 'loadBalancerCreate'] as const),
]);

/** Of each change of an existing load balancer, as if it were alone; not of what needs an object that is yet to be made. */
async function previewsOf(client: GraphClient, steps: readonly Step[]): Promise<ReadonlyMap<Step, Preview>> {
  const balancers = new Map(steps.flatMap(({ kind, name, id }) => (kind === 'LoadBalancer' ? [[name, id]] : [])));
  const previews = new Map<Step, Preview>();
  for (const step of steps) {
    const { request, name } = step;
    const id = balancers.get(name.split('/')[0] ?? '');
    if (request === undefined || id == null || notPreviewed.has(request.mutation)) continue;
    if (!isOfBalancers(request.mutation)) continue;
    if (Object.values(request.input).some((value) => awaited(value) !== undefined)) continue;
    previews.set(
      step,
      await readPreview(client, id, { [request.mutation]: request.input } as unknown as LoadBalancerChangeInput),
    );
  }
  return previews;
}

export async function printResults(
  { options, printer }: ApplyCall,
  results: readonly StepResult[],
  previews: ReadonlyMap<Step, Preview> = new Map(),
): Promise<void> {
  if (options.json)
    return printer.json(
      results.map(({ step, result, line, id, message }) => ({
        ...{ kind: step.kind, name: step.name, line: line === 0 ? null : line, result, id, message },
        changes: step.changes.map(({ field, from, to }) => ({ field, from: shownValue(from), to: shownValue(to) })),
        ...(previews.size === 0 ? {} : { preview: previews.get(step) ?? null }),
      })),
    );
  const rows = results.map(({ step, result, line, message }) => [
    ...[step.kind, step.name, line === 0 ? '-' : String(line), result],
    message ?? whatOf(step, previews.get(step)),
  ]);
  return printer.table(['KIND', 'NAME', 'LINE', 'RESULT', 'WHAT'], rows);
}

function whatOf({ changes }: Step, preview: Preview | undefined): string {
  const shown = [...changes.map(shownChange), ...(preview === undefined ? [] : [previewInShort(preview)])];
  return shown.join('; ') || '-';
}

const longestShown = 60;

function shownChange({ field, from, to }: Change): string {
  if (from === undefined && to === undefined) return field;
  return `${field}: ${inShort(from)} → ${inShort(to)}`;
}

function inShort(value: JsonValue | undefined): string {
  const shown = shownValue(value) ?? null;
  const text = shown === null ? 'none' : typeof shown === 'string' ? shown : JSON.stringify(shown);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** With the names of objects that have no id yet. */
function shownValue(value: JsonValue | undefined): JsonValue | undefined {
  const key = awaited(value);
  if (key !== undefined) return key;
  return Array.isArray(value) ? value.map((each: JsonValue) => shownValue(each) as JsonValue) : value;
}

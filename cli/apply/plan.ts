// The plan of a file: compares each manifest with the object of its kind and name. Pure.
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import { policyOf } from '../../subgraphs/loadbalancer/control/scaling/policy-input.ts';
import type { PartName } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { differences } from './compare.ts';
import type { Existing, ExistingBalancer } from './existing.ts';
import type { ApplyFault, WantedManifest } from './manifest.ts';
import { planChildren, type TreeContext, treeInput } from './plan-tree.ts';
import { ownIdOfPolicy } from './settings.ts';
import { notYetMade, type Step, stepKey } from './step.ts';
import type { ManifestFault } from './tree.ts';

interface PlanOptions {
  /** Also delete parts of load balancers that are missing from lists in the file. */
  readonly prune: boolean;
  /** Project of new objects. */
  readonly projectId: string | undefined;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly faults: readonly ApplyFault[];
}

interface Planning extends PlanOptions {
  /** Keyed by kind and name. */
  readonly inFile: ReadonlyMap<string, WantedManifest>;
  /** Existing load balancers by name. */
  readonly balancers: Named<ExistingBalancer>;
  readonly certificates: Named<Existing['certificates'][number]>;
  readonly subnets: Named<Existing['subnets'][number]>;
}

type Named<Object> = ReadonlyMap<string, readonly Object[]>;

type Planned = { readonly steps: readonly Step[]; readonly faults: readonly ManifestFault[] };

/** `manifests`: in the order of their kinds, without backends. */
export function planManifests(manifests: readonly WantedManifest[], existing: Existing, options: PlanOptions): Plan {
  const byName = <Object extends { readonly name: string }>(all: readonly Object[]) =>
    Map.groupBy(all, ({ name }) => name);
  const planning = {
    ...options,
    inFile: new Map(manifests.map((each) => [stepKey(each), each])),
    balancers: byName(existing.balancers),
    certificates: byName(existing.certificates),
    subnets: byName(existing.subnets),
  };
  const steps: Step[] = [];
  const faults = new Map<string, ApplyFault>();
  for (const manifest of manifests) {
    const planned = planManifest(planning, manifest);
    steps.push(...planned.steps);
    for (const { path, message } of planned.faults) {
      const fault = { line: manifest.lineOf(path), document: `${manifest.kind} ${manifest.name}`, message };
      // A reference is read when it is compared, and again when it is sent.
      faults.set(JSON.stringify(fault), fault);
    }
  }
  return { steps, faults: [...faults.values()] };
}

function planManifest(planning: Planning, manifest: WantedManifest): Planned {
  switch (manifest.kind) {
    case 'ProjectSubnet':
      return planSubnet(planning, manifest);
    case 'TlsCertificate':
      return planCertificate(planning, manifest);
    case 'LoadBalancer':
      return planBalancer(planning, manifest);
    case 'AutoscalingPolicy':
      return planPolicyManifest(planning, manifest);
    default:
      throw new Error(`${manifest.kind} has a plan of its own`);
  }
}

function planSubnet({ subnets, projectId }: Planning, manifest: WantedManifest): Planned {
  const { fields } = manifest;
  const [here, ...others] = named(subnets, manifest);
  if (others.length > 0) return failed(severalProjects(manifest));
  if (here === undefined) return { steps: [creation(manifest, 'projectSubnetCreate', fields, projectId)], faults: [] };
  const changes = differences({ cidr: fields.cidr }, here);
  const faults = changes.map(() => fixed('cidr', here.cidr, 'subnet'));
  return { steps: [step(manifest, 'nothing', here.id)], faults };
}

function planCertificate({ certificates, projectId }: Planning, manifest: WantedManifest): Planned {
  const { fields } = manifest;
  const [here, ...others] = named(certificates, manifest);
  if (others.length > 0) return failed(severalProjects(manifest));
  const missing = {
    path: ['privateKey'],
    message: 'privateKey is missing: the certificate is new, or has another chain',
  };
  if (here === undefined && fields.privateKey === undefined) return failed(missing);
  if (here === undefined) return { steps: [creation(manifest, 'tlsCertificateCreate', fields, projectId)], faults: [] };
  const { id, version: expectedVersion } = here;
  // The graph does not show the key. It belongs to its certificate, so another key means another certificate.
  if (differences({ chain: fields.chain }, here).length === 0)
    return { steps: [step(manifest, 'nothing', id)], faults: [] };
  if (fields.privateKey === undefined) return failed(missing);
  const { name: _name, ...content } = fields;
  const request = { mutation: 'tlsCertificateUpdate', input: { id, expectedVersion, ...content } } as const;
  const changes = [{ field: 'chain' }, { field: 'privateKey' }];
  return { steps: [{ ...step(manifest, 'update', id), changes, request }], faults: [] };
}

const fixedFields = ['topology', 'subnetId', 'cmpObject'] as const;

function planBalancer(planning: Planning, manifest: WantedManifest): Planned {
  const { balancers, projectId, prune } = planning;
  const { fields, tree, name } = manifest;
  const [here, ...others] = named(balancers, manifest);
  if (others.length > 0) return failed(severalProjects(manifest));
  if (here?.provisioningStatus === 'DELETING')
    return failed({
      path: ['name'],
      message: 'the load balancer of that name is being deleted: try again when it is gone',
    });
  const faults: ManifestFault[] = [];
  const steps: Step[] = [];
  const deletions: Step[] = [];
  const context: TreeContext = {
    ...{ prune, faults, steps, deletions, lineOf: manifest.lineOf },
    seen: here === undefined ? null : [here.version, here.generation],
    pool: (pool, path) => poolOf(manifest, here, pool, path, faults),
    certificate: (each, path) =>
      referenceTo(planning, { kind: 'TlsCertificate', what: 'certificate' }, each, path, faults),
  };
  const { autoscaling, subnetId, cmpObject, ...plain } = fields;
  const subnet =
    subnetId === undefined
      ? undefined
      : referenceTo(planning, { kind: 'ProjectSubnet', what: 'subnet' }, String(subnetId), ['subnetId'], faults);
  if (here === undefined) {
    const input = {
      ...plain,
      ...(subnet === undefined ? {} : { subnetId: subnet }),
      ...(cmpObject === undefined ? {} : { cmpObject }),
      ...treeInput(context, tree),
      ...(autoscaling == null ? {} : { autoscaling }),
    };
    steps.push(creation(manifest, 'loadBalancerCreate', input, projectId));
    return { steps, faults };
  }
  const seen = { ...here, subnetId: here.subnet?.id ?? null } as unknown as JsonObject;
  const wanted = {
    ...plain,
    ...(subnet === undefined ? {} : { subnetId: subnet }),
    ...(cmpObject === undefined ? {} : { cmpObject }),
  };
  const changes = differences(wanted, seen);
  for (const { field } of changes)
    if ((fixedFields as readonly string[]).includes(field)) faults.push(fixed(field, seen[field], 'load balancer'));
  const { id, version: expectedVersion } = here;
  const changed = Object.fromEntries(changes.map(({ field, to }) => [field, to]));
  steps.push(
    changes.length === 0
      ? step(manifest, 'nothing', id)
      : {
          ...step(manifest, 'update', id),
          changes,
          request: { mutation: 'loadBalancerUpdate', input: { id, expectedVersion, ...changed } },
        },
  );
  planChildren(context, 'LoadBalancer', tree, { id, name, path: [], existing: here as unknown as JsonObject });
  steps.push(...deletions);
  // A policy that moved from a document of its own into this one is still in the files.
  if (autoscaling !== undefined)
    for (const each of policySteps(manifest, here, autoscaling as JsonObject | null, ['autoscaling']))
      steps.push({ ...each, ...ownIdOf(here) });
  return { steps, faults };
}

function planPolicyManifest({ balancers, inFile: manifests }: Planning, manifest: WantedManifest): Planned {
  const { loadBalancer: _name, ...policy } = manifest.fields;
  const [here, ...others] = named(balancers, manifest);
  if (others.length > 0) return failed(severalProjects(manifest, 'loadBalancer'));
  const inFile = manifests.get(stepKey({ kind: 'LoadBalancer', name: manifest.name }));
  if (inFile?.fields.autoscaling !== undefined)
    return failed({ path: ['loadBalancer'], message: 'that load balancer has autoscaling in this file too: keep one' });
  if (here !== undefined) {
    const own = { isSourced: true, ...ownIdOf(here) } as const;
    return { steps: policySteps(manifest, here, policy, []).map((each) => ({ ...each, ...own })), faults: [] };
  }
  if (inFile === undefined) {
    const message = `loadBalancer: there is no load balancer '${manifest.name}', and the file has none`;
    return failed({ path: ['loadBalancer'], message });
  }
  const input = { loadBalancerId: notYetMade('LoadBalancer', manifest.name), policy };
  const request = { mutation: 'autoscalingPolicySet', input, seen: null } as const;
  return { steps: [{ ...step(manifest, 'create', null), request, isSourced: true }], faults: [] };
}

/** Id of its autoscaling policy. */
function ownIdOf({ project, id }: ExistingBalancer): Pick<Step, 'ownId'> {
  const ownId = project == null ? undefined : ownIdOfPolicy(project.id, id);
  return ownId === undefined ? {} : { ownId };
}

/** The policy is set as a whole, so fields that the file leaves out are sent unchanged. Null deletes the policy. A field's null is its default. */
function policySteps(
  manifest: WantedManifest,
  here: ExistingBalancer,
  wanted: JsonObject | null,
  path: readonly string[],
): Step[] {
  const { autoscaling } = here;
  const base = { ...step(manifest, 'nothing', null), kind: 'AutoscalingPolicy', line: manifest.lineOf(path) };
  const request = (policy: JsonObject | null) => ({
    mutation: policy === null ? ('autoscalingPolicyDelete' as const) : ('autoscalingPolicySet' as const),
    input: { loadBalancerId: here.id, ...(policy === null ? {} : { policy }) },
    seen: [here.version, here.generation, autoscaling?.version ?? null],
  });
  const lineOf = (field: readonly string[]) => manifest.lineOf([...path, ...field.slice(1)]);
  if (autoscaling === null)
    return wanted === null ? [] : [{ ...base, action: 'create', request: request(wanted), lineOf }];
  if (wanted === null) return [{ ...base, action: 'delete', request: request(null), lineOf }];
  const { version: _version, ...current } = autoscaling as unknown as JsonObject;
  const policy = policyOf({ ...current, ...wanted }) as unknown as JsonObject;
  const changes = differences(policy, current);
  if (changes.length === 0) return [base];
  return [{ ...base, action: 'update', changes, request: request(policy), lineOf }];
}

function poolOf(
  { tree, name }: WantedManifest,
  here: ExistingBalancer | undefined,
  pool: string,
  path: readonly string[],
  faults: ManifestFault[],
): JsonValue {
  const found = here?.pools.find((each) => each.name === pool);
  if (found !== undefined) return found.id;
  if (tree.get('Pool' satisfies PartName)?.some(({ given }) => given.name === pool) === true)
    return notYetMade('Pool', `${name}/${pool}`);
  faults.push({ path, message: `${path.join('.')}: '${name}' has no pool '${pool}': add it to pools` });
  return null;
}

/** The id of an object by name or id, or of one that the file creates. Null if there is none. A fault was then added. */
function referenceTo(
  { certificates, subnets, inFile }: Planning,
  { kind, what }: { readonly kind: 'TlsCertificate' | 'ProjectSubnet'; readonly what: string },
  nameOrId: string,
  path: readonly string[],
  faults: ManifestFault[],
): JsonValue {
  const all: Named<{ readonly id: string }> = kind === 'TlsCertificate' ? certificates : subnets;
  const byId = all.get(nameOrId) === undefined ? [...all.values()].flat().find(({ id }) => id === nameOrId) : undefined;
  const [first, ...others] = byId === undefined ? (all.get(nameOrId) ?? []) : [byId];
  const fault = (message: string) => {
    faults.push({ path, message: `${path.join('.')}: ${message}` });
    return null;
  };
  if (others.length > 0) return fault(`several projects have a ${what} '${nameOrId}': give --project`);
  if (first !== undefined) return first.id;
  if (inFile.has(stepKey({ kind, name: nameOrId }))) return notYetMade(kind, nameOrId);
  return fault(`there is no ${what} '${nameOrId}', and the file has none`);
}

function named<Object>(existing: Named<Object>, { name }: WantedManifest): readonly Object[] {
  return existing.get(name) ?? [];
}

function step(manifest: WantedManifest, action: Step['action'], id: string | null): Step {
  const { kind, name, line, secrets, lineOf } = manifest;
  return { kind, name, line, action, changes: [], id, secrets, lineOf };
}

function creation(
  manifest: WantedManifest,
  mutation: NonNullable<Step['request']>['mutation'],
  fields: JsonObject,
  projectId: string | undefined,
): Step {
  const input = { ...(projectId === undefined ? {} : { projectId }), ...fields };
  return { ...step(manifest, 'create', null), request: { mutation, input } };
}

function failed(fault: ManifestFault): Planned {
  return { steps: [], faults: [fault] };
}

function severalProjects({ kind }: WantedManifest, field = 'name'): ManifestFault {
  return { path: [field], message: `several projects have a ${kind} of that name: give --project` };
}

function fixed(field: string, value: JsonValue | undefined, what: string): ManifestFault {
  return {
    path: [field],
    message: `${field} can't be changed, it is ${JSON.stringify(value)}: delete the ${what} first`,
  };
}

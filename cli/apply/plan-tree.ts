// The steps that bring the parts of an existing load balancer in line with a manifest. Pure.
import { idFieldOf } from '../../platform/graph/described/text.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { wordsOf } from '../../subgraphs/loadbalancer/spec/graph-text.ts';
import { childFields, type PartKind, type PartName } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';
import { differences } from './compare.ts';
import { partMutation } from './mutations.ts';
import { notYetMade, type Step } from './step.ts';
import { childKindsOf, identityOf, type ManifestFault, type PartNode, shownName } from './tree.ts';

/** A part as the graph shows it, with its children in the fields of the tree. */
type ExistingPart = JsonObject & { readonly id: string; readonly version: number };

export interface TreeContext {
  /** State of the load balancer that was read. It makes keys differ when parts are created again. */
  readonly seen: JsonValue;
  readonly prune: boolean;
  /** The id of a pool of the load balancer, by name. Null if there is none. A fault was then added. */
  pool(name: string, path: readonly string[]): JsonValue;
  /** The id of a certificate, by name or id. Null if there is none. A fault was then added. */
  certificate(nameOrId: string, path: readonly string[]): JsonValue;
  lineOf(path: readonly string[]): number;
  readonly faults: ManifestFault[];
  readonly steps: Step[];
  /** Deletions come last, children first. */
  readonly deletions: Step[];
}

interface Parent {
  readonly id: JsonValue;
  readonly name: string;
  readonly path: readonly string[];
  /** Undefined if it does not exist yet. */
  readonly existing: JsonObject | undefined;
}

export function planChildren(
  context: TreeContext,
  parentKind: PartKind['parent'],
  children: ReadonlyMap<PartName, readonly PartNode[]>,
  parent: Parent,
): void {
  for (const kind of childKindsOf(parentKind)) {
    const nodes = children.get(kind.name);
    if (nodes === undefined) continue;
    const existing = existingOf(kind, parent.existing);
    const pairs = paired(kind, nodes, existing);
    for (const [node, here] of pairs) planPart(context, node, here, parent);
    const kept = new Set([...pairs.values()]);
    const gone = existing.filter((each) => !kept.has(each));
    if (context.prune) for (const each of gone) context.deletions.unshift(deletionOf(context, kind, each, parent));
  }
}

function existingOf(kind: PartKind, parent: JsonObject | undefined): readonly ExistingPart[] {
  const value = parent?.[childFields[kind.name]];
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]) as unknown as readonly ExistingPart[];
}

/** Rules have no name: equal ones are paired first, then rules with equal comparisons, in order. */
function paired(
  kind: PartKind,
  nodes: readonly PartNode[],
  existing: readonly ExistingPart[],
): ReadonlyMap<PartNode, ExistingPart | undefined> {
  const left = new Set(existing);
  const pairs = new Map<PartNode, ExistingPart | undefined>();
  const take = (node: PartNode, fits: (given: JsonObject) => boolean) => {
    if (pairs.get(node) !== undefined) return;
    const found = [...left].find(fits);
    if (found !== undefined) left.delete(found);
    pairs.set(node, found);
  };
  for (const node of nodes) {
    const identity = identityOf(node);
    take(node, (given) =>
      identity === undefined ? differences(node.given, given).length === 0 : identityOf({ kind, given }) === identity,
    );
  }
  for (const fields of [
    ['type', 'key', 'compareType'],
    ['type', 'key'],
  ])
    for (const node of nodes)
      if (identityOf(node) === undefined)
        take(node, (given) => fields.every((field) => (given[field] ?? null) === (node.given[field] ?? null)));
  return pairs;
}

function planPart(context: TreeContext, node: PartNode, here: ExistingPart | undefined, parent: Parent): void {
  const { kind, path, given } = node;
  const name = `${parent.name}/${shownName(kind, given)}`;
  const base = {
    ...{ kind: kind.name, name, line: context.lineOf(path), secrets: [] },
    lineOf: (field: readonly string[]) => context.lineOf([...path, ...field]),
  };
  const self = { name, path, existing: here };
  if (here === undefined) {
    const input = { [parentIdOf(kind)]: parent.id, ...inputOf(context, node, Object.keys(given)) };
    const request = { mutation: partMutation(kind.name, 'Create'), input, seen: context.seen };
    context.steps.push({ ...base, action: 'create', changes: [], id: null, request });
    planChildren(context, kind.name, node.children, { ...self, id: notYetMade(kind.name, name) });
    return;
  }
  // The key is the same, apart from its notation.
  const changes = differences(wantedOf(context, node), specOf(kind, here)).filter(
    ({ field }) => kind.uniqueFields?.includes(field) !== true,
  );
  for (const { field } of changes.filter((change) => kind.fields[change.field]?.fixed === true))
    context.faults.push({
      path: [...path, field],
      message: `${[...path, field].join('.')} can't be changed, it is ${String(here[field])}: delete the ${wordsOf(kind.name)} first`,
    });
  const { id, version: expectedVersion } = here;
  const fields = changes.map(({ field }) => field);
  if (fields.length === 0) context.steps.push({ ...base, action: 'nothing', changes, id });
  else {
    const input = { id, expectedVersion, ...withKept(inputOf(context, node, fields), here) };
    const request = { mutation: partMutation(kind.name, 'Update'), input };
    context.steps.push({ ...base, action: 'update', changes, id, request });
  }
  planChildren(context, kind.name, node.children, { ...self, id });
}

/** An object in a part is sent whole. Fields that the file leaves out keep their values, unless the type changes. */
function withKept(input: JsonObject, here: JsonObject): JsonObject {
  const members = Object.entries(input).map(([name, value = null]) => {
    const before = here[name];
    if (!isObject(value) || !isObject(before) || (value.type ?? before.type) !== before.type) return [name, value];
    const kept = Object.entries(before).filter(([, member]) => member !== null);
    return [name, { ...Object.fromEntries(kept), ...value }];
  });
  return Object.fromEntries(members);
}

function deletionOf(context: TreeContext, kind: PartKind, here: ExistingPart, parent: Parent): Step {
  const { id, version: expectedVersion } = here;
  const line = context.lineOf([...parent.path, childFields[kind.name]]);
  return {
    ...{ kind: kind.name, name: `${parent.name}/${shownName(kind, here)}`, line, secrets: [], lineOf: () => line },
    ...{ action: 'delete', changes: [], id },
    request: { mutation: partMutation(kind.name, 'Delete'), input: { id, expectedVersion } },
  };
}

/** The wanted state in terms of the graph's types. Null for the default. */
function wantedOf(context: TreeContext, { kind, given, path }: PartNode): JsonObject {
  return Object.fromEntries(
    Object.entries(given).map(([name, value = null]) => {
      const field = kind.fields[name];
      if (value === null) return [name, field?.default ?? null];
      if (field?.refersTo !== 'TlsCertificate') return [name, value];
      return [name, certificates(context, value, [...path, idFieldOf(name, field)])];
    }),
  );
}

/** The same for an existing part: pools by name, certificates by id. */
function specOf(kind: PartKind, here: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(kind.fields).map(([name, { refersTo }]) => {
      const value = here[name] ?? null;
      if (refersTo === undefined || value === null) return [name, value];
      const member = refersTo === 'TlsCertificate' ? 'id' : 'name';
      const read = (each: JsonValue) => (each as JsonObject)[member] ?? null;
      return [name, Array.isArray(value) ? value.map(read) : read(value)];
    }),
  );
}

/** Fields in the form for the mutations of one part: by id. */
function inputOf(context: TreeContext, { kind, given, path }: PartNode, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.map((name) => {
      const field = kind.fields[name];
      const value = given[name] ?? null;
      if (field?.refersTo === undefined) return [name, value];
      const inputName = idFieldOf(name, field);
      if (value === null) return [inputName, null];
      if (field.refersTo === 'TlsCertificate') return [inputName, certificates(context, value, [...path, inputName])];
      return [inputName, context.pool(String(value), [...path, name])];
    }),
  );
}

function certificates(context: Pick<TreeContext, 'certificate'>, value: JsonValue, path: readonly string[]): JsonValue {
  if (!Array.isArray(value)) return context.certificate(String(value), path);
  return value.map((each: JsonValue, at) => context.certificate(String(each), [...path, String(at)]));
}

/** The tree as loadBalancerCreate takes it. */
export function treeInput(
  context: Pick<TreeContext, 'certificate' | 'pool'>,
  children: ReadonlyMap<PartName, readonly PartNode[]>,
): JsonObject {
  return Object.fromEntries(
    [...children].map(([name, nodes]) => {
      const inputs = nodes.map((node) => nodeInput(context, node));
      return [childFields[name], partKinds[name].most === 1 ? (inputs[0] ?? null) : inputs];
    }),
  );
}

function nodeInput(
  context: Pick<TreeContext, 'certificate' | 'pool'>,
  { kind, given, path, children }: PartNode,
): JsonObject {
  const fields = Object.entries(given).map(([name, value = null]) => {
    const field = kind.fields[name];
    if (field?.refersTo === undefined || value === null) return [name, value];
    if (field.refersTo === 'TlsCertificate') {
      const inputName = idFieldOf(name, field);
      return [inputName, certificates(context, value, [...path, inputName])];
    }
    context.pool(String(value), [...path, name]);
    return [name, value];
  });
  return { ...Object.fromEntries(fields), ...treeInput(context, children) };
}

function parentIdOf({ parent }: PartKind): string {
  return `${parent.charAt(0).toLowerCase()}${parent.slice(1)}Id`;
}

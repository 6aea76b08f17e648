// The tree of a new load balancer: its pools and listeners with everything below them, as parts. Within the tree parts refer to pools
// by name. All faults are found at once, with their paths.
import { addFaults } from '../../../platform/graph/described/input.ts';
import { uniqueWords } from '../../../platform/graph/described/kind.ts';
import { readSpec } from '../../../platform/graph/described/spec.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import type { MemberAddresses, Networks } from '../parts/member-addresses.ts';
import { type PartKind, type PartName, type PartSpec, partNames, refersById } from '../parts/part-kind.ts';
import { partKinds } from '../parts/parts.ts';
import type { NewPart } from '../stores/part-store.ts';
import { checkPort } from './networks.ts';
import type { Placed } from './references.ts';

export interface TreeInput {
  readonly pools?: readonly object[] | null | undefined;
  readonly listeners?: readonly object[] | null | undefined;
}

/** A part of the tree, with its path and the settings of its parent. */
export type TreePart = NewPart & Pick<Placed, 'at' | 'parentSpec'>;

export interface TreePlace {
  readonly balancer: { readonly id: string; readonly projectId: string };
  readonly check: InputCheck;
  readonly memberAddresses: MemberAddresses;
  readonly networks: Networks;
  /** Ports that no listener may have. */
  readonly takenPorts: readonly number[];
}

interface Place extends TreePlace {
  /** UUIDs of the tree's pools, by name. */
  readonly pools: Map<string, string>;
  readonly parts: TreePart[];
}

/** The parts in the order in which they refer to each other. Faults are added to `check`. */
export function partsOfTree(input: TreeInput, around: TreePlace): readonly TreePart[] {
  const place: Place = { ...around, pools: new Map(), parts: [] };
  const { balancer } = place;
  addList(place, partKinds.Pool, balancer, input.pools ?? [], ['pools']);
  addList(place, partKinds.Listener, balancer, input.listeners ?? [], ['listeners']);
  return place.parts;
}

interface Parent {
  readonly id: string;
  /** Undefined: the load balancer, or a part with faults. */
  readonly spec?: PartSpec | undefined;
}

function addList(
  place: Place,
  kind: PartKind,
  parent: Parent,
  items: readonly object[],
  path: readonly string[],
): void {
  place.check.count(path.join('.'), items, { max: kind.most });
  const taken = new Set<string>();
  for (const [at, item] of items.slice(0, kind.most).entries())
    addPart(place, kind, parent, item as Readonly<Record<string, JsonValue>>, [...path, String(at)], taken);
}

function addPart(
  place: Place,
  kind: PartKind,
  parent: Parent,
  item: Readonly<Record<string, JsonValue | undefined>>,
  path: readonly string[],
  taken: Set<string>,
): void {
  const { check, balancer } = place;
  const given = givenInTree(place, kind, item, path);
  const read = readSpec(kind, given);
  if (!read.ok) addFaults(check, kind, given, read.faults, path, refersById(path));
  const id = newUuid();
  // Listeners may refer to a pool with faults: those are told once.
  const named = kind.unique?.(given);
  if (kind.name === 'Pool' && named !== undefined && !place.pools.has(named)) place.pools.set(named, id);
  if (read.ok) {
    const { spec } = read;
    place.memberAddresses.check(check, kind, spec, place.networks, path);
    if (kind.name === 'Listener') checkPort(check, spec, place.takenPorts, path);
    const uniqueKey = kind.unique?.(spec);
    if (uniqueKey !== undefined && taken.has(uniqueKey))
      check.fault(
        [...path, ...(kind.uniqueFields ?? []).slice(0, 1)].join('.'),
        `an earlier one of the list has ${uniqueWords(kind, spec)} too; give another`,
      );
    if (uniqueKey !== undefined) taken.add(uniqueKey);
    const owner = { projectId: balancer.projectId, loadBalancerId: balancer.id };
    const common = { ...owner, id, parentId: parent.id, kind: kind.name, spec, generation: 1, uniqueKey };
    place.parts.push({ ...common, at: path, parentSpec: parent.spec });
  }
  const self = { id, spec: read.ok ? read.spec : undefined };
  for (const child of partNames.map((name) => partKinds[name]).filter((each) => each.parent === kind.name)) {
    const name = childField(child);
    const value = item[name] ?? null;
    if (value === null) continue;
    if (child.most === 1) addPart(place, child, self, value as JsonObject, [...path, name], new Set());
    else addList(place, child, self, value as readonly object[], [...path, name]);
  }
}

/** The fields of the part, with the UUIDs of pools in place of their names, and of certificates in place of their ids. */
function givenInTree(
  { check, pools }: Place,
  kind: PartKind,
  item: Readonly<Record<string, JsonValue | undefined>>,
  path: readonly string[],
): JsonObject {
  const given: Record<string, JsonValue> = {};
  for (const [name, field] of Object.entries(kind.fields)) {
    const isList = field.type.startsWith('[');
    const byId = field.refersTo === 'TlsCertificate';
    const inputName = byId ? (isList ? `${name.slice(0, -1)}Ids` : `${name}Id`) : name;
    const value = item[inputName] ?? null;
    if (value === null) continue;
    const at = [...path, inputName].join('.');
    if (field.refersTo === undefined) given[name] = value;
    else if (byId && isList)
      given[name] = (value as readonly string[]).map(
        (one, index) => check.id(`${at}.${index}`, one, 'TlsCertificate') ?? '',
      );
    else if (byId) given[name] = check.id(at, String(value), 'TlsCertificate') ?? '';
    else {
      const id = pools.get(String(value));
      if (id === undefined)
        check.fault(at, `${at} is ${JSON.stringify(value).slice(0, 80)}; give the name of a pool in the tree`);
      else given[name] = id;
    }
  }
  return given;
}

const fields: Readonly<Record<PartName, string>> = {
  Pool: 'pools',
  Member: 'members',
  HealthMonitor: 'healthMonitor',
  Listener: 'listeners',
  L7Policy: 'l7Policies',
  L7Rule: 'l7Rules',
};

/** The field of the tree that has the parts of a kind. */
function childField({ name }: PartKind): string {
  return fields[name];
}

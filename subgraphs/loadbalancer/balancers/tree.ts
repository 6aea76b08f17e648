// The tree of a new load balancer: its pools and listeners with everything below them, as parts. Within the tree parts refer to pools
// by name. All faults are found at once, with their paths.
import { newUuid } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import type { MemberAddresses } from '../parts/member-addresses.ts';
import { addFaults } from '../parts/part-input.ts';
import { type PartKind, type PartName, partNames } from '../parts/part-kind.ts';
import { readSpec } from '../parts/part-spec.ts';
import { partKinds } from '../parts/parts.ts';
import type { NewPart } from '../stores/part-store.ts';

export interface TreeInput {
  readonly pools?: readonly object[] | null | undefined;
  readonly listeners?: readonly object[] | null | undefined;
}

interface Place {
  readonly balancer: { readonly id: string; readonly projectId: string };
  readonly check: InputCheck;
  readonly memberAddresses: MemberAddresses;
  /** UUIDs of the tree's pools, by name. */
  readonly pools: Map<string, string>;
  readonly parts: NewPart[];
}

/** The parts in the order in which they refer to each other. Faults are added to `check`. */
export function partsOfTree(
  input: TreeInput,
  balancer: Place['balancer'],
  check: InputCheck,
  memberAddresses: MemberAddresses,
): readonly NewPart[] {
  const place: Place = { balancer, check, memberAddresses, pools: new Map(), parts: [] };
  addList(place, partKinds.Pool, balancer.id, input.pools ?? [], ['pools']);
  addList(place, partKinds.Listener, balancer.id, input.listeners ?? [], ['listeners']);
  return place.parts;
}

function addList(
  place: Place,
  kind: PartKind,
  parentId: string,
  items: readonly object[],
  path: readonly string[],
): void {
  place.check.count(path.join('.'), items, { max: kind.most });
  const taken = new Set<string>();
  for (const [at, item] of items.slice(0, kind.most).entries())
    addPart(place, kind, parentId, item as Readonly<Record<string, JsonValue>>, [...path, String(at)], taken);
}

function addPart(
  place: Place,
  kind: PartKind,
  parentId: string,
  item: Readonly<Record<string, JsonValue | undefined>>,
  path: readonly string[],
  taken: Set<string>,
): void {
  const { check, balancer } = place;
  const given = givenInTree(place, kind, item, path);
  const read = readSpec(kind, given);
  if (!read.ok) addFaults(check, kind, given, read.faults, path);
  const id = newUuid();
  if (read.ok) {
    place.memberAddresses.check(check, kind, read.spec, path);
    const uniqueKey = kind.unique?.(read.spec);
    if (uniqueKey !== undefined && taken.has(uniqueKey))
      check.fault(path.join('.'), `${path.join('.')} has ${uniqueKey}, like an earlier one of the list; give another`);
    if (uniqueKey !== undefined) taken.add(uniqueKey);
    const owner = { projectId: balancer.projectId, loadBalancerId: balancer.id };
    place.parts.push({ ...owner, id, parentId, kind: kind.name, spec: read.spec, generation: 1, uniqueKey });
    if (kind.name === 'Pool' && uniqueKey !== undefined) place.pools.set(uniqueKey, id);
  }
  for (const child of partNames.map((name) => partKinds[name]).filter(({ parent }) => parent === kind.name)) {
    const name = childField(child);
    const value = item[name] ?? null;
    if (value === null) continue;
    const children = (child.most === 1 ? [value] : value) as readonly object[];
    if (child.most === 1) addPart(place, child, id, value as JsonObject, [...path, name], new Set());
    else addList(place, child, id, children, [...path, name]);
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
        (id, index) => check.id(`${at}.${index}`, id, 'TlsCertificate') ?? '',
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

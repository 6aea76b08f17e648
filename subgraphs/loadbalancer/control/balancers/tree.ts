// The tree of a new load balancer: its pools and listeners with everything below them, as parts. Within the tree, parts refer to pools by
// name. All faults are reported at once, with their paths.

import { addFaults } from '../../../../platform/graph/described/input.ts';
import { uniqueWords } from '../../../../platform/graph/described/kind.ts';
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import type { MemberAddresses } from '../../spec/member-addresses.ts';
import { childFields, type PartKind, type PartSpec, partNames, refersById } from '../../spec/part-kind.ts';
import { partKinds } from '../../spec/parts.ts';
import type { NewPart } from '../stores/part-store.ts';
import { checkPort } from './networks.ts';
import type { Placed } from './references.ts';

interface TreeInput {
  readonly pools?: readonly object[] | null | undefined;
  readonly listeners?: readonly object[] | null | undefined;
}

/** A part of the tree with its path and its parent's settings. */
export type TreePart = NewPart & Pick<Placed, 'at' | 'parentSpec'>;

interface TreePlace {
  readonly balancer: { readonly id: string; readonly projectId: string };
  readonly check: InputCheck;
  readonly memberAddresses: MemberAddresses;
  /** Ranges of the hosts. */
  readonly ranges: readonly string[];
  /** Ports that listeners may not use. */
  readonly takenPorts: readonly number[];
}

interface Place extends TreePlace {
  /** UUIDs of the tree's pools, by name. Empty for a pool with faults, which are reported only once. */
  readonly pools: Map<string, string>;
  /** A pool's name has a fault: a reference may have meant it. */
  hasUnnamedPool: boolean;
  readonly parts: TreePart[];
}

/** The parts, ordered so that references point backwards. Faults are added to `check`. */
export function partsOfTree(input: TreeInput, around: TreePlace): readonly TreePart[] {
  const place: Place = { ...around, pools: new Map(), hasUnnamedPool: false, parts: [] };
  const { balancer } = place;
  addList(place, partKinds.Pool, balancer, input.pools ?? [], ['pools']);
  addList(place, partKinds.Listener, balancer, input.listeners ?? [], ['listeners']);
  return place.parts;
}

interface Parent {
  readonly id: string;
  /** Undefined for the load balancer, or for a part with faults. */
  readonly spec?: PartSpec | undefined;
}

function addList(
  place: Place,
  kind: PartKind,
  parent: Parent,
  items: readonly object[],
  path: readonly string[],
): void {
  const taken = new Set<string>();
  place.check.list(path.join('.'), items, { max: kind.most }, (item, _, at) =>
    addPart(place, kind, parent, item as Readonly<Record<string, JsonValue>>, [...path, String(at)], taken),
  );
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
  const named = kind.unique?.(given);
  if (kind.name === 'Pool' && named !== undefined && !place.pools.has(named)) place.pools.set(named, read.ok ? id : '');
  if (kind.name === 'Pool' && !read.ok && read.faults.some(({ path: [first] }) => first === 'name'))
    place.hasUnnamedPool = true;
  if (read.ok) {
    const { spec } = read;
    place.memberAddresses.check(check, kind, spec, place.ranges, path);
    if (kind.name === 'Listener') checkPort(check, spec, place.takenPorts, path);
    const uniqueKey = kind.unique?.(spec);
    if (uniqueKey !== undefined && taken.has(uniqueKey))
      check.fault(
        [...path, ...(kind.uniqueFields ?? []).slice(0, 1)].join('.'),
        `an earlier entry of the list also has ${uniqueWords(kind, spec)}; choose another`,
      );
    if (uniqueKey !== undefined) taken.add(uniqueKey);
    const owner = { projectId: balancer.projectId, loadBalancerId: balancer.id };
    const common = { ...owner, id, parentId: parent.id, kind: kind.name, spec, generation: 1, uniqueKey };
    place.parts.push({ ...common, at: path, parentSpec: parent.spec });
  }
  const self = { id, spec: read.ok ? read.spec : undefined };
  for (const child of partNames.map((name) => partKinds[name]).filter((each) => each.parent === kind.name)) {
    const name = childFields[child.name];
    const value = item[name] ?? null;
    if (value === null) continue;
    if (child.most === 1) addPart(place, child, self, value as JsonObject, [...path, name], new Set());
    else addList(place, child, self, value as readonly object[], [...path, name]);
  }
}

/** The fields of the part with UUIDs instead of pool names and certificate ids. */
function givenInTree(
  { check, pools, hasUnnamedPool }: Place,
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
      if (id === undefined && !hasUnnamedPool)
        check.fault(at, `${at} is ${JSON.stringify(value).slice(0, 80)}; give the name of a pool in the tree`);
      given[name] = id ?? '';
    }
  }
  return given;
}

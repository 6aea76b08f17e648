// Reads the pools and listeners of a load balancer's manifest, by the descriptions of their kinds: the fields are those of the tree in
// loadBalancerCreate. A field for a certificate's id also accepts its name.

import { addFaults } from '../../platform/graph/described/input.ts';
import { uniqueWords } from '../../platform/graph/described/kind.ts';
import { readSpec } from '../../platform/graph/described/spec.ts';
import { idFieldOf } from '../../platform/graph/described/text.ts';
import { InputCheck } from '../../platform/input/input.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { wordsOf } from '../../subgraphs/loadbalancer/spec/graph-text.ts';
import {
  childFields,
  type PartField,
  type PartKind,
  type PartName,
  partNames,
  refersById,
} from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';

export interface ManifestFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** A part in the manifest. */
export interface PartNode {
  readonly kind: PartKind;
  readonly path: readonly string[];
  /** The given fields under the kind's names. References are names or ids. */
  readonly given: JsonObject;
  /** Its children, for each list that was given. */
  readonly children: ReadonlyMap<PartName, readonly PartNode[]>;
}

export function childKindsOf(parent: PartKind['parent']): readonly PartKind[] {
  return partNames.map((name) => partKinds[name]).filter((kind) => kind.parent === parent);
}

/** The children that a manifest's map has. */
export function readChildren(
  parent: PartKind['parent'],
  map: JsonObject,
  path: readonly string[],
  faults: ManifestFault[],
): ReadonlyMap<PartName, readonly PartNode[]> {
  const children = new Map<PartName, readonly PartNode[]>();
  for (const kind of childKindsOf(parent)) {
    const field = childFields[kind.name];
    const value = map[field];
    const at = [...path, field];
    if (value === undefined) continue;
    if (kind.most === 1) {
      const node = value === null ? undefined : readPart(kind, value, at, faults);
      children.set(kind.name, node === undefined ? [] : [node]);
      continue;
    }
    if (!Array.isArray(value) || value.length > kind.most) {
      faults.push({ path: at, message: `${at.join('.')} must be a list of at most ${kind.most}` });
      continue;
    }
    const nodes = value.map((item: JsonValue, index) => readPart(kind, item, [...at, String(index)], faults));
    const sound = nodes.filter((node) => node !== undefined);
    addRepeated(kind, sound, faults);
    children.set(kind.name, sound);
  }
  return children;
}

function readPart(
  kind: PartKind,
  value: JsonValue,
  path: readonly string[],
  faults: ManifestFault[],
): PartNode | undefined {
  if (!isObject(value)) {
    faults.push({ path, message: `${path.join('.')} must be a map of names and values` });
    return undefined;
  }
  const given: Record<string, JsonValue> = {};
  const children = childKindsOf(kind.name).map(({ name }) => childFields[name]);
  const names = new Map(Object.entries(kind.fields).map(([name, field]) => [inputNameOf(name, field), name]));
  for (const [inputName, member] of Object.entries(value)) {
    const name = names.get(inputName);
    if (name !== undefined) given[name] = member as JsonValue;
    else if (!children.includes(inputName)) {
      const known = [...names.keys(), ...children].join(', ');
      faults.push({ path: [...path, inputName], message: `${path.join('.')}: ${unknownField(inputName, known)}` });
    }
  }
  const read = readSpec(kind, given);
  const check = new InputCheck('document');
  if (!read.ok) addFaults(check, kind, given, read.faults, path, refersById(path));
  const label = labelField(kind);
  if (label !== undefined && (given[label] ?? '') === '')
    check.fault(
      [...path, label].join('.'),
      `${[...path, label].join('.')} is missing: the next run finds the ${wordsOf(kind.name)} by it`,
    );
  faults.push(...check.errors.map(({ field, message }) => ({ path: field.slice(1), message })));
  return { kind, path, given, children: readChildren(kind.name, value, path, faults) };
}

/** The key in the tree: pools have names, and certificates are given by id or name. */
function inputNameOf(name: string, field: PartField): string {
  return field.refersTo === 'TlsCertificate' ? idFieldOf(name, field) : name;
}

export function unknownField(name: string, known: string): string {
  return `${JSON.stringify(name.slice(0, 40))} is not a field; the fields are ${known}`;
}

/** Field that identifies a part without another key. */
function labelField({ name }: PartKind): string | undefined {
  return name === 'Pool' || name === 'L7Policy' ? 'name' : undefined;
}

/** Identity of a part within its parent. Undefined for rules, which are identified by position. */
export function identityOf({ kind, given }: Pick<PartNode, 'kind' | 'given'>): string | undefined {
  const label = labelField(kind);
  if (label !== undefined) return String(given[label] ?? '');
  if (kind.most === 1) return kind.name;
  return kind.unique?.(given);
}

function addRepeated(kind: PartKind, nodes: readonly PartNode[], faults: ManifestFault[]): void {
  const seen = new Set<string>();
  for (const node of nodes) {
    const identity = identityOf(node);
    if (identity === undefined || identity === '') continue;
    if (seen.has(identity)) {
      const words = kind.unique === undefined ? `name ${identity}` : uniqueWords(kind, node.given);
      faults.push({ path: node.path, message: `an earlier one of the list has ${words} too; give another` });
    }
    seen.add(identity);
  }
}

/** Its name in output: host and port of a member, the port of a listener. */
export function shownName(kind: PartKind, values: JsonObject): string {
  switch (kind.name) {
    case 'PoolMember': {
      const host = String(values.host);
      return `${host.includes(':') ? `[${host}]` : host}:${String(values.port)}`;
    }
    case 'Listener':
      return String(values.port);
    case 'PoolHealthMonitor':
      return 'health monitor';
    case 'L7Rule':
      return [values.ruleType, values.key, values.compareType, values.value].filter((each) => each != null).join(' ');
    default:
      return String(values.name);
  }
}

// From versions of an object's settings to the ordinary mutation that makes them so again. A caller sends it like any other: it is previewed,
// refused if its references are gone, and STALE_VERSION if somebody was faster. Pure.

import type { Restores } from '../../../../generated/kinds/restores.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { isObject, type JsonObject, type JsonValue, sameJson } from '../../../../platform/values/json.ts';

/** The parts of a version that decide how to get there. */
interface KnownVersion {
  readonly subject: string;
  /** UUID. */
  readonly subjectId: string;
  /** The subject's own version, for `expectedVersion`. 0 if it also counts changes of status. */
  readonly subjectVersion: number;
  readonly number: number;
  /** Null if the subject was deleted. */
  readonly settings: JsonObject | null;
  readonly secretsSet: readonly string[];
}

export interface FieldChange {
  readonly field: string;
  /** Null if it had no value. */
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** A mutation with its input, or why there is none. */
export type Restore =
  | { readonly mutation: string; readonly input: JsonObject; readonly missing: readonly string[] }
  | { readonly refusal: string };

/** By name. A field without a value equals null. */
export function changesBetween(before: JsonObject | null, after: JsonObject | null): readonly FieldChange[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return names.flatMap((field) => {
    const [was, is] = [before?.[field] ?? null, after?.[field] ?? null];
    return sameJson(was, is) ? [] : [{ field, before: was, after: is }];
  });
}

/** Makes the subject as it is in `wanted`. `tree`: what its parts were then, as fields of the input that creates it. */
export function restoreTo(
  wanted: KnownVersion,
  latest: KnownVersion,
  restores: Restores | undefined,
  tree: JsonObject = {},
): Restore {
  if (wanted.settings === null) return { refusal: 'This version is a deletion. Delete the object to repeat it.' };
  if (latest.settings === null) return creation(wanted.settings, restores, tree);
  return update(latest, changesBetween(latest.settings, wanted.settings), restores);
}

/** Takes the change of `version` back: only the fields that it changed. `previous`: undefined if it is the first known version. */
export function undoOf(
  version: KnownVersion,
  previous: KnownVersion | undefined,
  latest: KnownVersion,
  restores: Restores | undefined,
  tree: JsonObject = {},
): Restore {
  if (previous === undefined || previous.settings === null) {
    if (version.number > 1 && previous === undefined) return { refusal: 'The version before it is no longer kept.' };
    return latest.settings === null ? { refusal: 'The object is deleted already.' } : deletion(latest, restores);
  }
  if (version.settings === null)
    return latest.number === version.number
      ? creation(previous.settings, restores, tree)
      : { refusal: 'The object was created again since.' };
  const own = changesBetween(version.settings, previous.settings);
  if (own.length === 0 && version.secretsSet.length > 0)
    return {
      refusal: `It set only ${version.secretsSet.join(' and ')}, which no history has: set the earlier value yourself.`,
    };
  if (latest.settings === null) return { refusal: 'The object was deleted since. Undo its deletion first.' };
  const since = changesBetween(version.settings, latest.settings).map(({ field }) => field);
  const later = own.find(({ field }) => since.includes(field));
  if (later !== undefined)
    return {
      refusal: `${later.field} was changed again since. Go back to a version instead, or undo the later change first.`,
    };
  return update(latest, own, restores);
}

function update(latest: KnownVersion, changes: readonly FieldChange[], restores: Restores | undefined): Restore {
  const [first] = changes;
  if (first === undefined) return { refusal: 'The object has these settings now.' };
  const { update: mutation, set } = restores ?? {};
  if (mutation === undefined)
    return set === undefined ? { refusal: `${latest.subject} can't be changed.` } : setting(changes, latest, set);
  const fixed = changes.find(({ field }) => !mutation.fields.includes(field));
  if (fixed !== undefined) return { refusal: `${fixed.field} can't be changed by ${mutation.mutation}.` };
  const id = encodeId(latest.subject, latest.subjectId);
  const values = Object.fromEntries(changes.map(({ field, after }) => [field, after]));
  return { mutation: mutation.mutation, input: { id, ...expected(latest), ...values }, missing: [] };
}

function setting(
  changes: readonly FieldChange[],
  { settings }: KnownVersion,
  { mutation, fields }: NonNullable<Restores['set']>,
): Restore {
  const values = { ...settings, ...Object.fromEntries(changes.map(({ field, after }) => [field, after])) };
  return { mutation, input: withoutNulls(values, fields), missing: [] };
}

function creation(settings: JsonObject, restores: Restores | undefined, tree: JsonObject): Restore {
  const how = restores?.create ?? restores?.set;
  if (how === undefined) return { refusal: 'Objects of this kind are not created by a mutation.' };
  const input = withoutNulls({ ...settings, ...tree }, how.fields);
  const missing = how.required.filter((field) => input[field] === undefined);
  return { mutation: how.mutation, input, missing };
}

function deletion(
  { subject, subjectId, subjectVersion, settings }: KnownVersion,
  restores: Restores | undefined,
): Restore {
  const how = restores?.delete;
  if (how === undefined) return { refusal: `${subject} can't be deleted.` };
  // What is set is named by its place.
  const [place] = how.required;
  const value = place === undefined ? undefined : settings?.[place];
  if (place !== undefined && value !== undefined)
    return { mutation: how.mutation, input: { [place]: value }, missing: [] };
  const id = encodeId(subject, subjectId);
  return { mutation: how.mutation, input: { id, ...expected({ subjectVersion }) }, missing: [] };
}

function expected({ subjectVersion }: Pick<KnownVersion, 'subjectVersion'>): JsonObject {
  return subjectVersion === 0 ? {} : { expectedVersion: subjectVersion };
}

function withoutNulls(values: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.flatMap((field): [string, JsonValue][] => {
      const value = values[field];
      return value === undefined || value === null ? [] : [[field, value]];
    }),
  );
}

/** A part with the path of its parent. */
interface Part {
  readonly subject: string;
  readonly subjectId: string;
  readonly settings: JsonObject | null;
}

/** How the parts of a kind stand in the input that creates the whole. */
interface TreeField {
  readonly field: string;
  /** The field of the part's settings that names its parent. */
  readonly parent: string;
  readonly single?: true;
}

const treeFields: Readonly<Record<string, TreeField>> = {
  Pool: { field: 'pools', parent: 'loadBalancerId' },
  PoolMember: { field: 'members', parent: 'poolId' },
  PoolHealthMonitor: { field: 'healthMonitor', parent: 'poolId', single: true },
  Listener: { field: 'listeners', parent: 'loadBalancerId' },
  L7Policy: { field: 'l7Policies', parent: 'listenerId' },
  L7Rule: { field: 'l7Rules', parent: 'l7PolicyId' },
};
/** Fields of parts that name a pool of the same tree by its name. */
const poolReferences: Readonly<Record<string, string>> = {
  defaultPoolId: 'defaultPool',
  redirectPoolId: 'redirectPool',
};

/** The parts of a load balancer as fields of the input that creates it. */
export function treeOf(root: string, parts: readonly Part[]): JsonObject {
  const pools = parts.filter(({ subject }) => subject === 'Pool');
  // A tree refers to pools by name, so those without one get one.
  const names = new Map(
    pools.map(({ subjectId, settings }, at) => [
      encodeId('Pool', subjectId),
      String(settings?.name || `pool-${at + 1}`),
    ]),
  );
  const policy = parts.find(({ subject }) => subject === 'AutoscalingPolicy')?.settings?.policy;
  const below = childrenOf(root, parts, names);
  return isObject(policy) ? { ...below, autoscaling: dropNulls(policy) } : below;
}

function childrenOf(parent: string, parts: readonly Part[], pools: ReadonlyMap<string, string>): JsonObject {
  const children: Record<string, JsonValue> = {};
  for (const [subject, { field, parent: link, single }] of Object.entries(treeFields)) {
    const own = parts.filter((each) => each.subject === subject && each.settings?.[link] === parent);
    if (own.length === 0) continue;
    const made = own.map(({ subjectId, settings }) => {
      const id = encodeId(subject, subjectId);
      const name = pools.get(id);
      const named = name === undefined ? {} : { name };
      return { ...asTree(settings ?? {}, link, pools), ...named, ...childrenOf(id, parts, pools) };
    });
    const [only] = made;
    children[field] = single === true && only !== undefined ? only : made;
  }
  return children;
}

function asTree(settings: JsonObject, link: string, pools: ReadonlyMap<string, string>): JsonObject {
  const members = Object.entries(dropNulls(settings)).flatMap(([name, value]): [string, JsonValue][] => {
    if (name === link || value === undefined) return [];
    const reference = poolReferences[name];
    return reference === undefined ? [[name, value]] : [[reference, pools.get(String(value)) ?? '']];
  });
  return Object.fromEntries(members);
}

function dropNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null && member !== undefined));
}

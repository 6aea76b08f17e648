// The definition of a kind of LTM object: its names, its path, the translation of its settings. The operations of all kinds are
// in ltm-operations.ts.

import type { ArgumentFault, JsonObject, MappedObject, ResourceReader } from '../driver.ts';
import type { Arguments } from '../kind-operations.ts';
import { readMark, wordsOf } from '../mark.ts';
import { segmentOf } from './names.ts';

interface Place {
  /** For example `/mgmt/tm/ltm/pool`. */
  readonly collection: string;
  readonly fullPath: string;
  readonly scope: string;
  readonly key: string;
  /** mcpd's name for it in "not found" messages, if that is not its full path. */
  readonly missingAs?: string;
  /** The object that contains it; deleting that deletes it too. */
  readonly within?: string;
}

export interface LtmKind {
  /** Name in mappings, for example `pool-member`. */
  readonly resource: string;
  /** Prefix of its operations' names, for example `poolMember`. */
  readonly prefix: string;
  /** Name in texts, for example `a pool member`. */
  readonly one: string;
  /** Name in texts, and key of a list's result. */
  readonly many: string;
  readonly listKey: string;
  /** The device's own names for it, for example `tm:ltm:pool:poolstate`. */
  readonly kinds: readonly string[];
  /** Arguments that identify the object. */
  readonly naming: Arguments;
  /** Arguments that locate a list. `byPartition`: one argument restricts the list to a partition. */
  readonly listing: Arguments & { readonly byPartition: boolean };
  /** Its settings as arguments. None has a default, because an update must not set a setting that was not given. */
  readonly settings: Arguments & {
    /** Settings that can't be changed afterwards. */
    readonly fixed: readonly string[];
  };
  /** See ResourceReader. */
  readonly lists: ResourceReader['lists'];
  readonly own: ResourceReader['own'];
  /** Properties read by `values`. */
  readonly reads: readonly string[];
  /** Query that adds properties that a plain read does not show. */
  readonly query?: string;
  /** Faults for all of its operations but the list. */
  refine?(args: JsonObject): readonly ArgumentFault[];
  place(args: JsonObject): Place;
  /** The path of the collection that a list reads. */
  collection(args: JsonObject): string;
  /** Turns a mapping into the identifying arguments. */
  named(object: MappedObject): JsonObject;
  /** Normalises the given settings: full paths, canonical addresses. */
  settle(args: JsonObject): JsonObject;
  /** Converts normalised settings to the device's properties. Settings that were not given are left out. */
  toDevice(args: JsonObject): JsonObject;
  /** A device object as arguments; `args` located it. */
  values(object: JsonObject, args: JsonObject): JsonObject;
}

export function pathOf({ collection, fullPath }: Place): string {
  return `${collection}/${segmentOf(fullPath)}`;
}

/** The path that shows it. */
export function readOf(kind: LtmKind, args: JsonObject): string {
  return `${pathOf(kind.place(args))}${kind.query ?? ''}`;
}

export function describe(kind: LtmKind, object: JsonObject, args: JsonObject): JsonObject {
  return {
    ...valuesOf(kind, object, args),
    fullPath: object.fullPath ?? null,
    generation: object.generation ?? null,
    operationId: readMark(object.description)?.operationId ?? null,
  };
}

export function valuesOf(kind: LtmKind, object: JsonObject, args: JsonObject): JsonObject {
  return { ...kind.values(object, args), comment: wordsOf(object.description) };
}

/** Whether the missing thing in mcpd's message is this object itself. */
export function isItself(missing: string | undefined, { fullPath, missingAs }: Place): boolean {
  return missing === fullPath || (missing !== undefined && missing === missingAs);
}

/** Whether a refusal means that the object does not exist. */
export function isGone(missing: string | undefined, place: Place): boolean {
  return isItself(missing, place) || (missing !== undefined && missing === place.within);
}

/** The object if it is the requested one. */
export function isIt(kind: LtmKind, object: JsonObject, { fullPath }: Place): boolean {
  return kind.kinds.includes(String(object.kind)) && object.fullPath === fullPath;
}

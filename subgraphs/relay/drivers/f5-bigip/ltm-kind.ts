// What a kind of LTM object says of itself: what it is called, where it is, how its settings are worded. What is done with
// objects of any kind is in ltm-operations.ts.

import type { ArgumentFault, JsonObject, MappedObject } from '../driver.ts';
import type { Arguments } from '../kind-operations.ts';
import { readMark, wordsOf } from '../mark.ts';
import { segmentOf } from './names.ts';

export interface Place {
  /** For example `/mgmt/tm/ltm/pool`. */
  readonly collection: string;
  readonly fullPath: string;
  readonly scope: string;
  readonly key: string;
  /** How mcpd names it when it is not there, where that is not its full path. */
  readonly missingAs?: string;
  /** What it is part of, and is gone with. */
  readonly within?: string;
}

export interface LtmKind {
  /** As mappings call it, for example `pool-member`. */
  readonly resource: string;
  /** Before the dot of its operations' names, for example `poolMember`. */
  readonly prefix: string;
  /** In words, for example `a pool member`. */
  readonly one: string;
  /** In words, and as the key of a list's result. */
  readonly many: string;
  readonly listKey: string;
  /** The device's own names of it, for example `tm:ltm:pool:poolstate`. */
  readonly kinds: readonly string[];
  /** Arguments that say which one. */
  readonly naming: Arguments;
  /** Arguments that say where a list is from. `byPartition`: one of them is the partition that it is kept to. */
  readonly listing: Arguments & { readonly byPartition: boolean };
  /** Arguments that say what it is like. None has a default: an update must not set what nobody asked for. */
  readonly settings: Arguments & {
    /** Those that can't be changed afterwards. */
    readonly fixed: readonly string[];
  };
  /** Properties that `values` reads. */
  readonly reads: readonly string[];
  /** After the address of one, for what a read alone does not show. */
  readonly query?: string;
  /** Of all its operations but the list. */
  refine?(args: JsonObject): readonly ArgumentFault[];
  place(args: JsonObject): Place;
  /** The collection that a list is of. */
  collection(args: JsonObject): string;
  /** From a mapping to the arguments that say which one. */
  named(object: MappedObject): JsonObject;
  /** One word for one thing: full paths, canonical addresses. Of whatever settings are given. */
  settle(args: JsonObject): JsonObject;
  /** Settled settings as the device's properties; what is not given is not in it. */
  toDevice(args: JsonObject): JsonObject;
  /** An object as the device shows it, in the words of the arguments; `args` said where to look. */
  values(object: JsonObject, args: JsonObject): JsonObject;
}

export function pathOf({ collection, fullPath }: Place): string {
  return `${collection}/${segmentOf(fullPath)}`;
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

/** Whether what mcpd did not find is this object itself. */
export function isItself(missing: string | undefined, { fullPath, missingAs }: Place): boolean {
  return missing === fullPath || (missing !== undefined && missing === missingAs);
}

/** Whether that means that the object is not there. */
export function isGone(missing: string | undefined, place: Place): boolean {
  return isItself(missing, place) || (missing !== undefined && missing === place.within);
}

/** The object that was asked for, and no other. */
export function isIt(kind: LtmKind, object: JsonObject, { fullPath }: Place): boolean {
  return kind.kinds.includes(String(object.kind)) && object.fullPath === fullPath;
}

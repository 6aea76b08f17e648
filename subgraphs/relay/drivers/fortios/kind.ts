// The definition of a kind of firewall object: its names, its table, the translation of its settings. Its operations
// (object-operations.ts) and its reader (kind-reader.ts) are derived from it.

import type { ArgumentFault, BackendObject, JsonObject, RenderContext, ResourceReader } from '../driver.ts';
import { readMark, wordsOf } from '../mark.ts';
import { settingsSha256 } from '../meant-object.ts';
import type { Place } from './rest.ts';
import { nameOf, vdom } from './schema.ts';

export interface Kind {
  /** Name in mappings, for example `address-group`. */
  readonly resource: string;
  /** Prefix of its operations' names, for example `addressGroup`. */
  readonly prefix: string;
  /** Name in texts, for example `an address group`. */
  readonly one: string;
  readonly many: string;
  /** Key of a list's result, for example `addressGroups`. */
  readonly listKey: string;
  /** For example `firewall/addrgrp`. */
  readonly table: string;
  readonly nameMax: number;
  /** The attribute that holds its comment. */
  readonly comment: 'comment' | 'comments';
  /** Identified by a number that the device assigns, beside a name that can change. */
  readonly numbered?: boolean;
  /** Its settings as arguments, without defaults: an update must not set a setting that was not given. */
  readonly properties: JsonObject;
  /** See ResourceReader. For a numbered object, also its number. */
  readonly lists: ResourceReader['lists'];
  readonly own: ResourceReader['own'];
  /** Settings required for its creation. */
  readonly required: readonly string[];
  readonly example: JsonObject;
  /** Attributes read by `values`. */
  readonly reads: readonly string[];
  /** Faults that the schema can't express. */
  refine?(args: JsonObject, isCreate: boolean): readonly ArgumentFault[];
  /** Normalises the given settings: canonical addresses, sorted names; null for settings that they replace. */
  settle(args: JsonObject): JsonObject;
  /** The attributes for normalised settings. Settings that were not given are left out, and a creation also leaves out defaults. */
  toDevice(args: JsonObject, context: RenderContext, isCreate: boolean): JsonObject;
  /** A device's entry as settings. */
  values(entry: JsonObject): JsonObject;
}

export const policyId = {
  type: 'integer',
  minimum: 1,
  maximum: 4_294_967_294,
  description: "The device's number of the policy, which is the uuid of its mapping.",
} as const;

const marked = {
  type: 'boolean',
  default: false,
  description: 'Whether the comment of the policy must have the mark of a call of the relay.',
} as const;

/** Arguments that identify the object. A numbered object has no number before its creation. */
export function namingOf(
  kind: Kind,
  isMade: boolean,
): { readonly properties: JsonObject; readonly required: string[] } {
  const name = nameOf(kind.nameMax, `The name of ${kind.one}.`);
  if (!isMade) return { properties: { vdom, name }, required: ['name'] };
  if (kind.numbered !== true) return { properties: { vdom, name, settingsSha256 }, required: ['name'] };
  return { properties: { vdom, policyId, name, marked, settingsSha256 }, required: ['policyId', 'name'] };
}

export function tableOf(kind: Kind, args: JsonObject): { readonly table: string; readonly vdom: string } {
  return { table: kind.table, vdom: String(args.vdom) };
}

export function placeOf(kind: Kind, args: JsonObject): Required<Place> {
  return { ...tableOf(kind, args), key: String(kind.numbered === true ? args.policyId : args.name) };
}

export function objectOf(kind: Kind): (args: JsonObject) => BackendObject {
  return (args) => ({ resource: kind.resource, scope: String(args.vdom), key: String(args.name) });
}

/** Attributes of an entry that a read must include. */
export function fieldsOf(kind: Kind): string {
  const own = kind.numbered === true ? ['policyid', 'name'] : ['name'];
  return [...own, ...kind.reads, kind.comment].join('|');
}

export function numberOf(entry: JsonObject): number | undefined {
  return typeof entry.policyid === 'number' && Number.isSafeInteger(entry.policyid) ? entry.policyid : undefined;
}

/** In the terms of the arguments of create and update. */
export function valuesOf(kind: Kind, entry: JsonObject, vdomOfIt: string): JsonObject {
  return {
    vdom: vdomOfIt,
    name: entry.name ?? null,
    ...(kind.numbered === true ? { policyId: numberOf(entry) ?? null } : {}),
    ...kind.values(entry),
    comment: wordsOf(entry[kind.comment]),
  };
}

/** An entry, as reads show it. */
export function describe(kind: Kind, entry: JsonObject, vdomOfIt: string): JsonObject {
  const operationId = readMark(entry[kind.comment])?.operationId ?? null;
  return { ...valuesOf(kind, entry, vdomOfIt), uuid: entry.uuid ?? null, operationId };
}

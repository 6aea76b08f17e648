// What a kind of firewall object is: how it is called, where it is, and how its settings are worded. From it come its
// operations (kind-operations.ts) and how to look at one (kind-reader.ts).

import type { ArgumentFault, BackendObject, JsonObject, RenderContext } from '../driver.ts';
import { readMark, wordsOf } from '../mark.ts';
import type { Place } from './rest.ts';
import { nameOf, vdom } from './schema.ts';

export interface Kind {
  /** As mappings call it, for example `address-group`. */
  readonly resource: string;
  /** Before the dot of its operations' names, for example `addressGroup`. */
  readonly prefix: string;
  /** In words, for example `an address group`. */
  readonly one: string;
  readonly many: string;
  /** In a list's result, for example `addressGroups`. */
  readonly listKey: string;
  /** For example `firewall/addrgrp`. */
  readonly table: string;
  readonly nameMax: number;
  /** What FortiOS calls its comment. */
  readonly comment: 'comment' | 'comments';
  /** Known by a number that the device gives, with a name beside it that can change. */
  readonly numbered?: boolean;
  /** Arguments that say what it is like, without defaults: an update must not set what nobody asked for. */
  readonly properties: JsonObject;
  /** Which of them it can't be made without. */
  readonly required: readonly string[];
  readonly example: JsonObject;
  /** Attributes that `values` reads. */
  readonly reads: readonly string[];
  /** Faults that the schema can't express. */
  refine?(args: JsonObject, isCreate: boolean): readonly ArgumentFault[];
  /** One word for one thing: canonical addresses, sorted names. Of whatever settings are given; nulls for what they end. */
  settle(args: JsonObject): JsonObject;
  /** The attributes that settled settings set; what is not given is not in it. */
  toDevice(args: JsonObject, context: RenderContext): JsonObject;
  /** An entry as the device shows it, in the words of the settings. */
  values(entry: JsonObject): JsonObject;
}

export const policyId = {
  type: 'integer',
  minimum: 1,
  maximum: 4_294_967_294,
  description: "The device's number of the policy, which is the uuid of its mapping.",
} as const;

/** Arguments that say which one; a numbered one has no number before it is made. */
export function namingOf(
  kind: Kind,
  isMade: boolean,
): { readonly properties: JsonObject; readonly required: string[] } {
  const name = nameOf(kind.nameMax, `The name of ${kind.one}.`);
  if (kind.numbered !== true || !isMade) return { properties: { vdom, name }, required: ['name'] };
  return { properties: { vdom, policyId, name }, required: ['policyId', 'name'] };
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

/** Attributes of an entry that a read must bring. */
export function fieldsOf(kind: Kind): string {
  const own = kind.numbered === true ? ['policyid', 'name'] : ['name'];
  return [...own, ...kind.reads, kind.comment].join('|');
}

export function numberOf(entry: JsonObject): number | undefined {
  return typeof entry.policyid === 'number' && Number.isSafeInteger(entry.policyid) ? entry.policyid : undefined;
}

/** In the words of the arguments of create and update. */
export function valuesOf(kind: Kind, entry: JsonObject, vdomOfIt: string): JsonObject {
  return {
    vdom: vdomOfIt,
    name: entry.name ?? null,
    ...(kind.numbered === true ? { policyId: numberOf(entry) ?? null } : {}),
    ...kind.values(entry),
    comment: wordsOf(entry[kind.comment]),
  };
}

/** What reads show of an entry. */
export function describe(kind: Kind, entry: JsonObject, vdomOfIt: string): JsonObject {
  const operationId = readMark(entry[kind.comment])?.operationId ?? null;
  return { ...valuesOf(kind, entry, vdomOfIt), uuid: entry.uuid ?? null, operationId };
}

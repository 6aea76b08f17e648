// What every kind of LTM object has in common: properties with defaults, a check of what is written, a view for readers.
// iControl REST Reference 13.1, /mgmt/tm/ltm.

import type { Config, StoredObject } from '../config.ts';
import { type ObjectName, toSegment } from '../names.ts';
import { type JsonObject, type JsonValue, mcpRefusal } from '../rest.ts';

export interface Kind {
  readonly collection: string;
  /** For `kind` in replies, without `state`. */
  readonly kind: string;
  /** As mcpd's messages call it. */
  readonly noun: string;
  /** How mcpd's messages call an object, where that is not its full path. */
  nameIn?(fullPath: string): string;
  /** Whether it may be called by an address. */
  readonly addressLike?: boolean;
  /** Every property that may be written, with what it is when nothing is said. */
  readonly properties: Readonly<Record<string, JsonValue | undefined>>;
  /** Properties that can't be changed afterwards. */
  readonly fixed?: readonly string[];
  /** From what was written to what is stored; refuses what mcpd refuses. */
  store?(values: JsonObject, name: ObjectName, config: Config): JsonObject;
  /** Refuses the deletion of what is in use. */
  checkUnused?(object: StoredObject, config: Config): void;
  /** What a read shows instead of what is stored. */
  show?(object: StoredObject, config: Config, expanded: boolean): JsonObject;
}

export const selfLink = (path: string): string => `https://localhost/mgmt/tm/${path}?ver=13.1.1`;

/** The reference to a subcollection, with what is in it when the reader asked for that. */
export function subcollection(path: string, items: readonly JsonObject[] | undefined): JsonObject {
  return { link: selfLink(path), isSubcollection: true, ...(items === undefined ? {} : { items }) };
}

export function refuse(message: string): never {
  throw mcpRefusal(400, message);
}

export function missing(noun: string, fullPath: string): never {
  throw mcpRefusal(404, `01020036:3: The requested ${noun} (${fullPath}) was not found.`);
}

export function defaultsOf(kind: Kind): JsonObject {
  return Object.fromEntries(Object.entries(kind.properties).filter(([, value]) => value !== undefined));
}

/** An object as a read shows it. */
export function view(kind: Kind, object: StoredObject, config: Config, expanded: boolean): JsonObject {
  return {
    kind: `${kind.kind}state`,
    name: object.name,
    partition: object.partition,
    fullPath: object.fullPath,
    generation: object.generation,
    selfLink: selfLink(`${kind.collection}/${toSegment(object.fullPath)}`),
    ...(kind.show?.(object, config, expanded) ?? object.values),
  };
}

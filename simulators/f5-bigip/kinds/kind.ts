// The common part of every kind of LTM object: properties with defaults, a check of writes, a view for reads. iControl REST
// Reference 13.1, /mgmt/tm/ltm.

import type { Config, StoredObject } from '../config.ts';
import { type ObjectName, toSegment } from '../names.ts';
import { type JsonObject, type JsonValue, mcpRefusal } from '../rest.ts';

export interface Kind {
  readonly collection: string;
  /** For `kind` in replies, without `state`. */
  readonly kind: string;
  /** Its name in mcpd's messages. */
  readonly noun: string;
  /** The name of an object in mcpd's messages, if that is not its full path. */
  nameIn?(fullPath: string): string;
  /** Whether its name may be an address. */
  readonly addressLike?: boolean;
  /** Every writable property, with its default. */
  readonly properties: Readonly<Record<string, JsonValue | undefined>>;
  /** Properties that can't be changed afterwards. */
  readonly fixed?: readonly string[];
  /** Turns written values into stored ones; refuses what mcpd refuses. */
  store?(values: JsonObject, name: ObjectName, config: Config): JsonObject;
  /** Refuses to delete an object in use. */
  checkUnused?(object: StoredObject, config: Config): void;
  /** The values that a read shows instead of the stored ones. */
  show?(object: StoredObject, config: Config, expanded: boolean): JsonObject;
}

export const selfLink = (path: string): string => `https://localhost/mgmt/tm/${path}?ver=13.1.1`;

/** The reference to a subcollection, with its items if the reader requested them. */
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

/** An object, as a read shows it. */
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

// What a kind of Neutron's objects is: how the API calls it, where it is, and how its settings are worded. From it come its
// operations (kind-operations.ts) and how to look at one (kind-reader.ts).

import type { ArgumentFault, BackendObject, JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import { readMark, wordsOf } from '../mark.ts';

export interface Kind {
  /** As mappings call it, for example `security-group`. */
  readonly resource: string;
  /** Before the dot of its operations' names, for example `securityGroup`. */
  readonly prefix: string;
  /** In words, for example `a security group`. */
  readonly one: string;
  /** In paths and lists, for example `security-groups` and `security_groups`. */
  readonly path: string;
  readonly collection: string;
  /** Around one object in a body, for example `security_group`. */
  readonly member: string;
  /** The argument that says where it is, and the attribute that holds it; absent: in the project as a whole. */
  readonly scope?: { readonly argument: string; readonly attribute: string; readonly schema: JsonObject };
  /** The argument that says what it is called here, by which it is mapped. */
  readonly key: KeyOf;
  /** Arguments of its creation, without scope, key and description. */
  readonly properties: JsonObject;
  readonly required: readonly string[];
  /** Those that can be changed; none: it can only be made anew. */
  readonly changeable: JsonObject;
  readonly example: JsonObject;
  readonly changeExample: JsonObject;
  refine?(args: JsonObject): readonly ArgumentFault[];
  /** Settings as attributes of the API; what is not given is not in it. */
  toNative(settings: JsonObject): JsonObject;
  /** Attributes in the words of the settings, without scope, key and description. */
  values(native: JsonObject): JsonObject;
}

/** How an object is called here. */
export type KeyOf =
  /** By its name. */
  | { readonly by: 'name' }
  /** By words that are kept in its description: Neutron gives it no name. */
  | { readonly by: 'description' }
  /** By what it is: Neutron allows no two alike. `argument` names the text in later calls. */
  | { readonly by: 'settings'; readonly argument: string; readonly text: (values: JsonObject) => string };

/** The argument that has the key of an existing object. */
export function keyArgument(kind: Kind): string {
  return kind.key.by === 'settings' ? kind.key.argument : 'name';
}

export function scopeOf(kind: Kind, args: JsonObject): string {
  return kind.scope === undefined ? '' : String(args[kind.scope.argument]);
}

/** Of arguments that make one. */
export function keyOfNew(kind: Kind, args: JsonObject): string {
  return kind.key.by === 'settings' ? kind.key.text(args) : String(args.name);
}

/** Of arguments that name one which is there. */
export function objectOf(kind: Kind, args: JsonObject): BackendObject {
  return { resource: kind.resource, scope: scopeOf(kind, args), key: String(args[keyArgument(kind)]) };
}

/** What a native object is called here. */
export function keyOfNative(kind: Kind, native: JsonObject): string {
  if (kind.key.by === 'settings') return kind.key.text(kind.values(native));
  return kind.key.by === 'name' ? String(native.name) : wordsOf(native.description);
}

/** All that is known of a native object, in the words of the arguments that make one. */
export function valuesOf(kind: Kind, native: JsonObject): JsonObject {
  const { scope } = kind;
  const named = kind.key.by === 'settings' ? {} : { name: keyOfNative(kind, native) };
  const described = kind.key.by === 'name' ? { description: wordsOf(native.description) } : {};
  return {
    ...(scope === undefined ? {} : { [scope.argument]: native[scope.attribute] ?? null }),
    ...named,
    ...described,
    ...kind.values(native),
  };
}

export function operationIdOf(native: JsonObject): { readonly operationId?: string } {
  const mark = readMark(native.description);
  return mark === undefined ? {} : { operationId: mark.operationId };
}

export function uuidOf(native: JsonObject): string | undefined {
  return typeof native.id === 'string' && native.id !== '' ? native.id : undefined;
}

/** As a read shows it. */
export function shown(kind: Kind, native: JsonObject): JsonObject {
  return given({
    id: native.id,
    operationId: operationIdOf(native).operationId ?? null,
    values: valuesOf(kind, native),
    native,
  });
}

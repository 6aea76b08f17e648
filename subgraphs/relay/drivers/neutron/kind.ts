// The definition of a kind of Neutron object: its names in the API, its container, the translation of its settings. Its
// operations (kind-operations.ts) and its reader (kind-reader.ts) are derived from it.

import type { ArgumentFault, BackendObject, JsonObject, ResourceReader } from '../driver.ts';
import { given } from '../json.ts';
import { readMark, wordsOf } from '../mark.ts';

export interface Kind {
  /** Name in mappings, for example `security-group`. */
  readonly resource: string;
  /** Prefix of its operations' names, for example `securityGroup`. */
  readonly prefix: string;
  /** Name in texts, for example `a security group`. */
  readonly one: string;
  /** In paths and lists, for example `security-groups` and `security_groups`; of an extension with its prefix: `sfc/port_pairs`. */
  readonly path: string;
  readonly collection: string;
  /** Key of one object in a body, for example `security_group`. */
  readonly member: string;
  /** The argument that names its container, and the attribute for it. Absent if the container is the whole project. */
  readonly scope?: { readonly argument: string; readonly attribute: string; readonly schema: JsonObject };
  /** The argument with its name, by which it is mapped. */
  readonly key: KeyOf;
  /** Arguments of its creation, without scope, key and description. */
  readonly properties: JsonObject;
  readonly required: readonly string[];
  /** See ResourceReader. */
  readonly lists: ResourceReader['lists'];
  readonly own: ResourceReader['own'];
  /** Arguments that can be changed, besides the description of one with a name. */
  readonly changeable: JsonObject;
  readonly example: JsonObject;
  readonly changeExample: JsonObject;
  /** Changes whose answer proves nothing. The object is read once more, and this read decides. */
  readonly doubtful?: {
    readonly when: (changes: JsonObject) => boolean;
    /** Advice if the change was not made. */
    readonly hint: string;
  };
  refine?(args: JsonObject): readonly ArgumentFault[];
  /** Converts settings to API attributes. Settings that were not given are left out. */
  toNative(settings: JsonObject): JsonObject;
  /** API attributes as settings, without scope, key and description. */
  values(native: JsonObject): JsonObject;
}

/** How an object is named. */
type KeyOf =
  /** Mapped by its name. */
  | { readonly by: 'name' }
  /** Mapped by text in its description, because Neutron gives it no name. */
  | { readonly by: 'description' }
  /** Mapped by its content, because Neutron allows no two equal objects. `argument` is the name in later calls. */
  | { readonly by: 'settings'; readonly argument: string; readonly text: (values: JsonObject) => string };

/** The argument with the key of an existing object. */
export function keyArgument(kind: Kind): string {
  return kind.key.by === 'settings' ? kind.key.argument : 'name';
}

export function scopeOf(kind: Kind, args: JsonObject): string {
  return kind.scope === undefined ? '' : String(args[kind.scope.argument]);
}

/** From arguments that create one. */
export function keyOfNew(kind: Kind, args: JsonObject): string {
  return kind.key.by === 'settings' ? kind.key.text(args) : String(args.name);
}

/** From arguments that name an existing one. */
export function objectOf(kind: Kind, args: JsonObject): BackendObject {
  return { resource: kind.resource, scope: scopeOf(kind, args), key: String(args[keyArgument(kind)]) };
}

/** Returns the key by which a native object is mapped. */
export function keyOfNative(kind: Kind, native: JsonObject): string {
  if (kind.key.by === 'settings') return kind.key.text(kind.values(native));
  return kind.key.by === 'name' ? String(native.name) : wordsOf(native.description);
}

/** A native object as arguments that would create it. */
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

/** A native object as reads show it. */
export function shown(kind: Kind, native: JsonObject): JsonObject {
  return given({
    id: native.id,
    operationId: operationIdOf(native).operationId ?? null,
    values: valuesOf(kind, native),
    native,
  });
}

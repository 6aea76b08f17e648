// The names of objects in forms. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../../platform/values/json.ts';
import type { Kind } from '../../../schema/kinds/kind.ts';
import { wordsOf } from '../../../schema/kinds/words.ts';

export function kindNamed(type: string): Kind | undefined {
  return Object.hasOwn(registry.kinds, type) ? registry.kinds[type] : undefined;
}

/** `192.0.2.1:80`, `web`, or for an object without a name `health monitor of web`. */
export function nameIn(kind: Kind, object: JsonObject): string {
  const { parent, key } = kind;
  const texts = key.map((field) => {
    const value = object[field] ?? object[field.replace(/Id$/, '')];
    return isObject(value) ? shortName(value) : String(value ?? '');
  });
  const name = texts.filter((text) => text !== '').join(':');
  if (name !== '') return name;
  const of = parent === undefined ? undefined : object[parent.link];
  return isObject(of) ? `${wordsOf(kind)} of ${shortName(of)}` : wordsOf(kind);
}

function shortName(link: JsonObject): string {
  return String(link.name ?? link.fqdn ?? link.port ?? link.id ?? '');
}

/** Ids of the objects that this one is a part of or belongs to, by their types. */
export function linksOf({ output }: Kind, object: JsonObject): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, refersTo, list } of output) {
    const link = object[name];
    if (refersTo !== undefined && list !== true && isObject(link) && typeof link.id === 'string')
      found[refersTo] ??= link.id;
  }
  return found;
}

/** The names of all that an object links to, by their ids. */
export function namesOfLinks({ output }: Kind, object: JsonObject): ReadonlyMap<string, string> {
  const links = output.flatMap(({ name }) => {
    const value = object[name];
    return Array.isArray(value) ? (value as readonly unknown[]) : [value];
  });
  const named = links.filter(isObject).filter(({ id }) => typeof id === 'string');
  return new Map(named.map((link) => [String(link.id), shortName(link)]));
}

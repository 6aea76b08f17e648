// The names of `export --name`: the object that each one names, and the message for a name without an object.
import { isObject, type JsonObject } from '../../platform/values/json.ts';
import { nearestName } from '../../platform/values/nearest-name.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import { allAtOnce } from '../at-once.ts';
import type { GraphClient } from '../graph-client.ts';
import { kindOf, nameOf, sameName, wordsOf } from '../kinds/find-object.ts';
import { isKindName, namedKinds, namesNear } from '../named-kinds.ts';

/** The given name that identifies the object: its name, its id, or PARENT/NAME. */
function nameMeaning(kind: Kind, object: JsonObject, names: readonly string[]): string | undefined {
  const { id, name, path } = namesOf(kind, object);
  return names.find((each) => each === id || each === path || sameName(kind, name, each));
}

function namesOf(kind: Kind, object: JsonObject) {
  const name = nameOf(kind, object);
  const { parent } = kind;
  const of = parent === undefined ? undefined : object[parent.link];
  const path = parent !== undefined && isObject(of) ? `${nameOf(kindOf(parent.kind), of)}/${name}` : undefined;
  return { id: object.id, name, path };
}

/** Remembers which of the names an object has. */
export class NameSearch {
  readonly #names: readonly string[];
  readonly #found = new Set<string>();
  /** Names of all parts that were read, because no list of the server searches them. */
  readonly parts: string[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The names of one kind. Undefined if no name was given, which selects all objects. */
  in(kind: Kind): { readonly names: readonly string[]; isMeant(object: JsonObject): boolean } | undefined {
    if (this.#names.length === 0) return undefined;
    const isMeant = (object: JsonObject) => {
      const meaning = nameMeaning(kind, object, this.#names);
      if (meaning !== undefined) this.#found.add(meaning);
      else if (kind.list === undefined) this.parts.push(nameOf(kind, object));
      return meaning !== undefined;
    };
    return { names: this.#names, isMeant };
  }

  notFound(): readonly string[] {
    return this.#names.filter((each) => !this.#found.has(each));
  }
}

interface Searched {
  /** Types. */
  readonly kinds: readonly string[];
  /** Names of the parts, all of which were read. */
  readonly parts: readonly string[];
  readonly projectId: string | undefined;
}

/** `there is no GSLB pool 'wbe'; 'web' is near`. */
export async function unknownName(client: GraphClient, given: string, searched: Searched): Promise<string> {
  const { kinds, parts, projectId } = searched;
  const lists = new Set(kinds.map((type) => kindOf(type).list?.field));
  const nouns = Object.keys(namedKinds).filter(isKindName);
  const listed = await allAtOnce(
    nouns.filter((noun) => lists.has(namedKinds[noun].list)),
    (noun) => namesNear(client, noun, given, projectId),
  );
  const near = nearestName(given, [...parts, ...listed.flat()]);
  const [only, ...others] = kinds;
  const what = only !== undefined && others.length === 0 ? wordsOf(kindOf(only)) : 'object';
  return `there is no ${what} '${given}'${near === undefined ? '' : `; '${near}' is near`}`;
}

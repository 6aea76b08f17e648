// The data of a random graph. Every value follows from the graph's seed, its object, its field and its arguments. So each subgraph and the
// single schema with everything give the same answers in any order.
import { Kind, type SelectionNode, valueFromASTUntyped } from 'graphql';
import type { Random } from '../random.ts';
import { chance, hashOf, randomFor } from './chance.ts';
import { baseOf, type GraphField, type GraphPlan, possibleTypes, selectionsOf } from './graph.ts';

/** One object, which is the same for all subgraphs. */
export interface Item {
  readonly type: string;
  readonly index: number;
}

/** The changes that one execution makes. */
export interface Effects {
  /** Mutations so far, with their arguments. */
  readonly mutations: string[];
}

const itemsOfType = 3;
const words = ['alpha', 'beta', 'gamma', 'delta', '', 'ä"\\', '__proto__'] as const;

/** Root fields that the graph plan has only as parts of subgraphs. */
export class GraphData {
  readonly #seed: number;
  readonly #plan: GraphPlan;
  readonly #fields = new Map<string, GraphField & { readonly strict: boolean; readonly concrete: readonly string[] }>();
  readonly #items = new Map<string, readonly Item[]>();
  readonly #values = new Map<string, unknown>();

  constructor(plan: GraphPlan, seed: number) {
    this.#plan = plan;
    this.#seed = seed;
    for (const subgraph of plan.subgraphs)
      for (const type of subgraph.types.values())
        for (const part of type.fields.values()) {
          if (part.external || type.kind === 'interface') continue;
          // The fields that an interface object adds belong to each member.
          const owners = type.kind === 'interfaceObject' ? (plan.types.get(type.name)?.members ?? []) : [type.name];
          const possible = possibleTypes(plan, subgraph, baseOf(part.field.type));
          for (const owner of owners) {
            const key = `${owner}.${part.field.name}`;
            const known = this.#fields.get(key);
            this.#fields.set(key, {
              ...part.field,
              strict: part.strict === true || known?.strict === true,
              concrete: known === undefined ? possible : known.concrete.filter((each) => possible.includes(each)),
            });
          }
        }
  }

  items(type: string): readonly Item[] {
    const known = this.#items.get(type);
    if (known !== undefined) return known;
    const made = Array.from({ length: itemsOfType }, (_each, index) => ({ type, index }));
    this.#items.set(type, made);
    return made;
  }

  /** The field's value: a leaf, an item, null, or a list. `item`: undefined for roots. */
  value(type: string, item: Item | undefined, name: string, args: object, { mutations }: Effects): unknown {
    const field = this.#fields.get(`${type}.${name}`);
    if (field === undefined) throw new Error(`${type}.${name} is no field of the graph`);
    if (name === 'live') return mutations.length;
    if (type === 'Mutation') mutations.push(`${name} ${canonical(args)}`);
    if (field.requires !== undefined && item !== undefined)
      return this.computed(field, this.#required(item, selectionsOf(field.requires)));
    const place = `${this.#seed} ${type} ${item?.index} ${name} ${canonical(args)} ${type === 'Mutation' ? mutations.length : ''}`;
    if (this.#values.has(place)) return this.#values.get(place);
    const made = this.#made(type, item, field, place);
    this.#values.set(place, made);
    return made;
  }

  #made(
    type: string,
    item: Item | undefined,
    field: GraphField & { strict: boolean; concrete: readonly string[] },
    place: string,
  ) {
    const index = item?.index ?? 0;
    const isEntity = this.#plan.types.get(type)?.kind === 'entity';
    if (isEntity || type === 'Ref')
      switch (field.name) {
        case 'id':
          return `${type.toLowerCase()}-${index}`;
        case 'code':
          return `C${index}`;
        case 'region':
          return index % 2;
        case 'num':
          return String(index);
        case 'kind':
          return 'kind';
        case 'ref':
          return this.items('Ref')[index];
        case 'owner':
          return this.items(baseOf(field.type))[index];
      }
    const random = randomFor(place);
    const text = field.strict && !field.type.endsWith('!') ? `${field.type}!` : field.type;
    return this.#ofType(text, field.concrete, random);
  }

  #ofType(type: string, concrete: readonly string[], random: Random): unknown {
    if (!type.endsWith('!') && chance(random, 0.12)) return null;
    const bare = type.endsWith('!') ? type.slice(0, -1) : type;
    if (bare.startsWith('[')) {
      const length = random.integer(0, 3);
      return Array.from({ length }, () => this.#ofType(bare.slice(1, -1), concrete, random));
    }
    switch (bare) {
      case 'Int':
        return random.integer(-5, 1_000);
      case 'Float':
        return random.integer(0, 100) / 4;
      case 'Boolean':
        return chance(random, 0.5);
      case 'ID':
      case 'String':
        return `${random.pick(words)}${random.integer(0, 99)}`;
      case 'Color':
        return random.pick(['RED', 'GREEN', 'BLUE']);
      case 'Json':
        return random.pick<() => unknown>([
          () => ({ id: random.integer(0, 9), __typename: 'Fake', name: { deep: [1, null, { a: true }] } }),
          () => [1, 'two', { three: null }],
          () => random.integer(0, 9),
          () => ({}),
        ])();
      default:
        // All subgraphs of the field know only some of the types, so there is nothing to return.
        return concrete.length === 0 ? null : random.pick(this.items(random.pick(concrete)));
    }
  }

  /** The value of a field that requires others: a text, or an object of its type. */
  computed({ name, type }: GraphField, required: object): unknown {
    const text = `${name} ${canonical(required)}`;
    return this.#plan.types.has(type) ? randomFor(`${this.#seed} ${text}`).pick(this.items(type)) : text;
  }

  /** The form in which a subgraph gets required fields. */
  #required(item: Item, selections: readonly SelectionNode[]): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (selection.typeCondition?.name.value === item.type)
          Object.assign(found, this.#required(item, selection.selectionSet.selections));
      } else if (selection.kind === Kind.FIELD) {
        const args = Object.fromEntries(
          (selection.arguments ?? []).map((each) => [each.name.value, valueFromASTUntyped(each.value)]),
        );
        const { name, selectionSet } = selection;
        const value = this.value(item.type, item, name.value, args, { mutations: [] });
        found[name.value] = mapped(value, (each) =>
          selectionSet === undefined ? each : this.#required(each as Item, selectionSet.selections),
        );
      }
    }
    return found;
  }

  /** The item with this key, if the representation has the key's fields. */
  matches(item: Item, selections: readonly SelectionNode[], representation: object): boolean {
    return selections.every((selection) => {
      if (selection.kind !== Kind.FIELD) return false;
      const given = (representation as Record<string, unknown>)[selection.name.value];
      const value = this.value(item.type, item, selection.name.value, {}, { mutations: [] });
      if (given === null || given === undefined) return false;
      return selection.selectionSet === undefined
        ? String(given) === String(value)
        : this.matches(value as Item, selection.selectionSet.selections, given);
    });
  }

  /** Whether the field may be null for clients but not in some subgraph. An error there affects more than its own place. */
  isStrict(type: string, name: string): boolean {
    return this.#fields.get(`${type}.${name}`)?.strict === true && !this.isNeverNull(type, name);
  }

  /** An error in this field makes its object null. */
  isNeverNull(type: string, name: string): boolean {
    return this.#fields.get(`${type}.${name}`)?.type.endsWith('!') === true;
  }

  /** Whether an error is injected at this place, in whichever subgraph. */
  fails(faultSeed: number, rate: number, type: string, item: Item | undefined, name: string): boolean {
    return rate > 0 && hashOf(`${faultSeed} ${type} ${item?.index} ${name}`) / 2 ** 32 < rate;
  }
}

/** Applies to each value in nested lists, except nulls. */
export function mapped(value: unknown, map: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapped(each, map));
  return value === null || value === undefined ? null : map(value);
}

/** JSON with sorted names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, each) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

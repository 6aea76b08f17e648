// A random graph, split over subgraphs: first the types, then the owners of their fields, then everything that a subgraph has to define so
// that its fields have types, and finally the directives of Federation 2. Not every result can be composed.
import type { Random } from '../random.ts';
import { chance, some } from './chance.ts';
import {
  baseOf,
  computedOfInterface,
  type FieldPart,
  fieldNamesIn,
  type GraphField,
  type GraphPlan,
  type GraphType,
  type SubgraphPlan,
  selectionsOf,
  type TypeKind,
  type TypePart,
} from './graph.ts';

const entityNames = ['Product', 'User', 'Review', 'Store', 'Order'] as const;
const valueNames = ['Address', 'Money'] as const;
/** A value type, and the field that holds it. Each subgraph has every second field of it. */
const [sharedValue, sharedLink] = ['Detail', 'detail'];
const interfaceNames = ['Media', 'Named'] as const;
const unionNames = ['Hit', 'Owner'] as const;
/** Fields of objects that hold objects. */
const linkNames = ['best', 'related', 'items', 'parent', 'grid', 'origin', 'hits', 'media'] as const;

export function randomGraph(random: Random): GraphPlan {
  return new Splitter(random).split();
}

class Splitter {
  readonly #random: Random;
  readonly #types = new Map<string, GraphType>();
  readonly #subgraphs: SubgraphPlan[];
  /** The one subgraph that knows an interface as an object. */
  #interfaceObject: { readonly subgraph: SubgraphPlan; readonly type: string } | undefined;
  /** One definition for each name, so that objects can share interfaces. */
  readonly #leaves: readonly GraphField[];
  /** Homes of each entity: the subgraphs that own some of its fields. */
  readonly #homes = new Map<string, readonly SubgraphPlan[]>();

  constructor(random: Random) {
    this.#random = random;
    const count = random.pick([2, 2, 3, 3, 4, 5]);
    this.#subgraphs = ['a', 'b', 'c', 'd', 'e'].slice(0, count).map((name) => ({ name, types: new Map() }));
    this.#leaves = this.#leafFields();
  }

  split(): GraphPlan {
    this.#makeTypes();
    if (this.#subgraphs.length > 2 && chance(this.#random, 0.35)) this.#makeInterfaceObject();
    for (const type of this.#ofKind('entity')) this.#placeEntity(type);
    this.#placeRoots();
    this.#complete();
    for (const type of this.#ofKind('entity')) {
      if (chance(this.#random, 0.5)) this.#addRequires(type);
      if (chance(this.#random, 0.3)) this.#addRequires(type);
      if (chance(this.#random, 0.25)) this.#addDiamond(type);
      if (chance(this.#random, 0.2)) this.#addMade(type);
    }
    this.#complete();
    for (const subgraph of this.#subgraphs) this.#addProvides(subgraph);
    this.#hideSome();
    this.#varyNullability();
    return { types: this.#types, subgraphs: this.#subgraphs };
  }

  #leafFields(): readonly GraphField[] {
    const optional = (type: string) => (chance(this.#random, 0.25) ? `${type}!` : type);
    const field = (name: string, type: string, args = ''): GraphField => ({ name, type: optional(type), args });
    return [
      field('name', 'String'),
      field('title', 'String'),
      field('size', 'Int'),
      field('weight', 'Float'),
      field('active', 'Boolean'),
      field('tags', '[String]'),
      field('color', 'Color'),
      field('colors', '[Color!]'),
      field('meta', 'Json'),
      field('matrix', '[[Int]]'),
      field('price', 'Int', '(currency: Currency = EUR)'),
      field('note', 'String', '(upper: Boolean! = false, word: String)'),
      field('search', '[String!]', '(filter: Filter)'),
      field('rank', 'Int', '(filters: [Filter!] = [{limit: 1}], raw: Json)'),
      field('live', 'Int'),
    ];
  }

  #ofKind(kind: TypeKind): readonly GraphType[] {
    return [...this.#types.values()].filter((type) => type.kind === kind);
  }

  #add(
    name: string,
    kind: TypeKind,
    fields: readonly GraphField[],
    members: readonly string[],
    keys: readonly string[],
  ) {
    this.#types.set(name, { name, kind, members, keys, fields: new Map(fields.map((each) => [each.name, each])) });
  }

  #makeTypes(): void {
    const random = this.#random;
    const entities = some(random, entityNames, 2, 5);
    const values = some(random, valueNames, 0, 2);
    for (const [index, name] of entities.entries()) {
      const [keys, keyFields] = this.#keysOf(index === 0 ? undefined : entities[0]);
      const leaves = some(random, this.#leaves, 2, 6);
      this.#add(name, 'entity', [...keyFields, ...leaves], [], keys);
    }
    for (const name of values) this.#add(name, 'value', some(random, this.#leaves, 1, 3), [], []);
    if ([...this.#types.values()].some(({ fields }) => fields.has('ref')))
      this.#add('Ref', 'value', [plain('id', 'ID!'), plain('kind', 'String!')], [], []);
    const isShared = chance(random, 0.3);
    if (isShared) this.#add(sharedValue, 'value', some(random, this.#leaves, 2, 4), [], []);
    const shared = plain(sharedLink, random.pick([sharedValue, `[${sharedValue}]`]));
    for (const name of some(random, interfaceNames, isShared ? 1 : 0, 2)) {
      const members = chance(random, 0.7) ? some(random, entities, 2, 3) : some(random, [...entities, ...values], 2, 3);
      const allHaveIds = members.every((member) => this.#types.get(member)?.fields.has('id'));
      const fields = [
        ...(allHaveIds ? [plain('id', 'ID!')] : []),
        ...(isShared && members.every((member) => entities.some((each) => each === member)) ? [shared] : []),
        ...some(random, this.#leaves, 1, 3),
      ];
      for (const member of members)
        for (const field of fields)
          if (!this.#types.get(member)?.fields.has(field.name)) this.#types.get(member)?.fields.set(field.name, field);
      this.#add(name, 'interface', fields, members, []);
    }
    for (const name of some(random, unionNames, 0, 2))
      this.#add(name, 'union', [], some(random, [...entities, ...values], 2, 3), []);
    const targets = [...this.#types.values()].filter(({ name }) => name !== 'Ref' && name !== sharedValue);
    for (const { kind, fields } of targets) {
      if (kind !== 'entity' && (kind !== 'value' || chance(random, 0.7))) continue;
      for (const name of some(random, linkNames, 0, 3)) fields.set(name, this.#link(name, random.pick(targets)));
    }
  }

  /** The keys of an entity, and their fields. `owner`: an entity through which a key may go. */
  #keysOf(owner: string | undefined): readonly [readonly string[], readonly GraphField[]] {
    const id = plain('id', 'ID!');
    const code = plain('code', 'String!');
    const composite = [plain('region', 'Int!'), plain('num', 'ID!')];
    const ref = plain('ref', 'Ref!');
    const ownerHasId = owner !== undefined && this.#types.get(owner)?.keys.includes('id');
    return this.#random.pick<readonly [readonly string[], readonly GraphField[]]>([
      [['id'], [id]],
      [['id'], [id]],
      [['id'], [id]],
      [
        ['id', 'code'],
        [id, code],
      ],
      [
        ['id', 'code', 'region num'],
        [id, code, ...composite],
      ],
      [['region num'], composite],
      [
        ['id', 'ref { id kind }'],
        [id, ref],
      ],
      [['ref { id }'], [ref]],
      ownerHasId ? [['id owner { id }'], [id, plain('owner', `${owner}!`)]] : [['id'], [id]],
    ]);
  }

  #link(name: string, target: GraphType): GraphField {
    const single = chance(this.#random, 0.5) && name !== 'items' && name !== 'grid';
    const { name: base } = target;
    const isAbstract = target.kind === 'interface' || target.kind === 'union';
    const item = !isAbstract && chance(this.#random, 0.5) ? `${base}!` : base;
    const type = name === 'grid' ? `[[${item}]]` : single ? base : `[${item}]`;
    const args = single || !chance(this.#random, 0.3) ? '' : '(first: Int = 2, filter: Filter)';
    return { name, args, type: !isAbstract && chance(this.#random, 0.1) && !single ? `${type}!` : type };
  }

  #part(subgraph: SubgraphPlan, name: string, kind: TypePart['kind']): TypePart {
    const known = subgraph.types.get(name);
    if (known !== undefined) return known;
    const part: TypePart = {
      ...{ name, kind, keys: [], fields: new Map(), implements: new Set(), members: new Set() },
    };
    subgraph.types.set(name, part);
    return part;
  }

  #define(part: TypePart, field: GraphField | undefined): FieldPart {
    if (field === undefined) throw new Error(`${part.name} lacks a field of its key`);
    const known = part.fields.get(field.name);
    if (known !== undefined) return known;
    const made: FieldPart = { field };
    part.fields.set(field.name, made);
    return made;
  }

  #addKey(subgraph: SubgraphPlan, type: GraphType, fields: string, resolvable: boolean): void {
    const part = this.#part(subgraph, type.name, 'object');
    part.keys.push({ fields, resolvable });
    for (const selection of selectionsOf(fields))
      if (selection.kind === 'Field') this.#define(part, type.fields.get(selection.name.value));
  }

  #makeInterfaceObject(): void {
    const type = this.#ofKind('interface').find(({ fields, members }) => {
      const types = members.map((member) => this.#types.get(member));
      return fields.has('id') && types.every((each) => each?.kind === 'entity' && each.keys.includes('id'));
    });
    const subgraph = this.#subgraphs.at(-1);
    const [owner] = this.#subgraphs;
    if (type === undefined || subgraph === undefined || owner === undefined) return;
    this.#interfaceObject = { subgraph, type: type.name };
    for (const member of type.members) {
      const memberType = this.#types.get(member);
      if (memberType !== undefined) this.#addKey(owner, memberType, 'id', true);
    }
    const whole = this.#part(owner, type.name, 'interface');
    whole.keys.push({ fields: 'id', resolvable: true });
    const part = this.#part(subgraph, type.name, 'interfaceObject');
    part.keys.push({ fields: 'id', resolvable: true });
    this.#define(part, type.fields.get('id'));
    const extra: GraphField = { name: 'extra', type: this.#random.pick(['Int', 'String!', '[String]']), args: '' };
    for (const each of [type, ...type.members.map((member) => this.#types.get(member))])
      each?.fields.set('extra', extra);
    this.#define(part, extra);
    if (!chance(this.#random, 0.5)) return;
    // A field that the subgraph computes for all members.
    const required = [...type.fields.values()].find(
      ({ name, args, type: of }) =>
        !['id', 'extra', 'live'].includes(name) && args === '' && !this.#types.has(baseOf(of)),
    );
    if (required === undefined) return;
    const computed: GraphField = { name: computedOfInterface, type: 'String', args: '', requires: required.name };
    for (const each of [type, ...type.members.map((member) => this.#types.get(member))])
      each?.fields.set(computedOfInterface, computed);
    this.#define(part, required).external = true;
    this.#define(part, computed).requires = required.name;
  }

  /** Whether a subgraph can't define the type, because it knows an interface of it as an object. */
  #isBarred(subgraph: SubgraphPlan, type: string): boolean {
    const barred = this.#interfaceObject;
    return barred?.subgraph === subgraph && this.#types.get(barred.type)?.members.includes(type) === true;
  }

  #placeEntity(type: GraphType): void {
    const random = this.#random;
    const able = this.#subgraphs.filter((each) => !this.#isBarred(each, type.name));
    const defines = able.filter((each) => each.types.has(type.name));
    const halves = type.fields.has(sharedLink) ? this.#subgraphs.slice(0, 2) : [];
    const homes = [...new Set([...defines, ...halves, ...some(random, able, 1, Math.min(3, able.length))])];
    this.#homes.set(type.name, homes);
    const own = [...type.fields.values()].filter(({ name }) => name !== 'extra' && name !== computedOfInterface);
    for (const [index, home] of homes.entries()) {
      const has = (this.#part(home, type.name, 'object').keys ?? []).map(({ fields }) => fields);
      // The first home has all keys, so that each subgraph is reached from each other one.
      const keys = index === 0 ? type.keys : some(random, type.keys, 1);
      for (const fields of keys) if (!has.includes(fields)) this.#addKey(home, type, fields, true);
    }
    const keyFields = new Set(type.keys.flatMap((fields) => fieldNamesIn(selectionsOf(fields))));
    for (const field of own) {
      if (field.name === sharedLink) {
        for (const home of homes) this.#define(this.#part(home, type.name, 'object'), field);
        continue;
      }
      if (homes.some((home) => home.types.get(type.name)?.fields.has(field.name)) && keyFields.has(field.name))
        continue;
      const [owner, other] = random.shuffle(homes);
      if (owner === undefined) continue;
      this.#define(this.#part(owner, type.name, 'object'), field);
      if (other === undefined || !chance(random, 0.3)) continue;
      const part = this.#define(this.#part(other, type.name, 'object'), field);
      if (chance(random, 0.4)) part.override = owner.name;
    }
  }

  #placeRoots(): void {
    const random = this.#random;
    const targets = [...this.#types.values()].filter(({ name }) => name !== 'Ref' && name !== sharedValue);
    const roots: GraphField[] = [];
    for (const { name, kind } of targets) {
      if (!chance(random, kind === 'value' ? 0.3 : 0.85)) continue;
      const small = name.toLowerCase();
      roots.push(
        random.pick([
          { name: small, type: name, args: '' },
          { name: small, type: name, args: '(id: ID!)' },
          { name: small, type: `[${name}]`, args: '(first: Int = 3, filter: Filter)' },
          { name: `${small}s`, type: `[${name}!]`, args: '' },
        ]),
      );
    }
    roots.push({ name: 'hello', type: 'String', args: '(filter: Filter = {word: "hi"}, raw: Json)' });
    for (const root of roots) this.#placeRoot('Query', root, chance(random, 0.2) ? 2 : 1);
    const found = this.#interfaceObject;
    if (found !== undefined)
      this.#define(this.#part(found.subgraph, 'Query', 'object'), plain('found', `[${found.type}]`));
    const [entity] = some(random, this.#ofKind('entity'), 1, 1);
    const mutations: GraphField[] = [
      { name: 'bump', type: random.pick(['Int', 'Int!']), args: '(by: Int! = 1)' },
      { name: 'save', type: 'String', args: '(filter: Filter!)' },
      { name: 'touch', type: entity?.name ?? 'Int', args: '' },
      { name: 'drop', type: `[${entity?.name ?? 'Int'}!]`, args: '(id: ID)' },
    ];
    for (const root of some(random, mutations, 2)) this.#placeRoot('Mutation', root, 1);
  }

  #placeRoot(type: 'Query' | 'Mutation', field: GraphField, count: number): void {
    const able = this.#subgraphs.filter((each) => !this.#isBarred(each, baseOf(field.type)));
    for (const subgraph of some(this.#random, able, count, count))
      this.#define(this.#part(subgraph, type, 'object'), field);
  }

  /** Adds missing definitions until every field of every subgraph has a type there. */
  #complete(): void {
    for (let before = -1, now = this.#size(); before !== now; before = now, now = this.#size())
      for (const subgraph of this.#subgraphs) {
        for (const part of [...subgraph.types.values()])
          for (const { field } of part.fields.values()) this.#need(subgraph, baseOf(field.type));
        for (const part of [...subgraph.types.values()])
          if (part.kind === 'interface') this.#completeInterface(subgraph, part);
      }
  }

  #size(): number {
    let size = 0;
    for (const { types } of this.#subgraphs)
      for (const { fields, members, implements: interfaces } of types.values())
        size += 1 + fields.size + members.size + interfaces.size;
    return size;
  }

  #need(subgraph: SubgraphPlan, name: string): void {
    const type = this.#types.get(name);
    if (type === undefined || subgraph.types.has(name)) return;
    const random = this.#random;
    if (type.kind === 'entity') {
      const hub = this.#homes.get(name)?.[0]?.types.get(name);
      const key = random.pick(hub?.keys.length ? hub.keys : type.keys.map((fields) => ({ fields, resolvable: true })));
      this.#addKey(subgraph, type, key.fields, chance(random, 0.4));
    } else if (type.kind === 'value') {
      const part = this.#part(subgraph, name, 'object');
      const half = this.#subgraphs.indexOf(subgraph) % 2;
      for (const [index, field] of [...type.fields.values()].entries())
        if (name !== sharedValue || index % 2 === half) this.#define(part, field);
    } else {
      const part = this.#part(subgraph, name, type.kind);
      const able = type.members.filter((member) => !this.#isBarred(subgraph, member));
      for (const member of some(random, able, 1)) {
        this.#need(subgraph, member);
        if (type.kind === 'union') part.members.add(member);
        else subgraph.types.get(member)?.implements.add(name);
      }
    }
  }

  /** An interface has the fields that all its members have in this subgraph, and at least one. */
  #completeInterface(subgraph: SubgraphPlan, part: TypePart): void {
    const type = this.#types.get(part.name);
    if (type === undefined) return;
    if (part.keys.length > 0)
      for (const member of type.members) {
        this.#need(subgraph, member);
        subgraph.types.get(member)?.implements.add(part.name);
      }
    const members = [...subgraph.types.values()].filter((each) => each.implements.has(part.name));
    const usable = [...type.fields.values()].filter(({ name }) => name !== 'extra' && name !== computedOfInterface);
    const common = usable.filter(({ name }) => members.every((each) => each.fields.has(name)));
    const [first] = usable;
    if (common.length === 0 && first !== undefined) for (const member of members) this.#define(member, first);
    const chosen = common.length > 0 ? common : first === undefined ? [] : [first];
    for (const field of chosen) if (part.fields.size === 0 || chance(this.#random, 0.7)) this.#define(part, field);
  }

  #addRequires(type: GraphType): void {
    const random = this.#random;
    const homes = (this.#homes.get(type.name) ?? []).filter((home) =>
      home.types.get(type.name)?.keys.some(({ resolvable }) => resolvable),
    );
    if (homes.length < 2) return;
    const home = random.pick(homes);
    const part = home.types.get(type.name);
    if (part === undefined) return;
    const elsewhere = [...type.fields.values()].filter(({ name }) => {
      const here = part.fields.get(name);
      return (
        name !== 'live' && name !== 'extra' && name !== computedOfInterface && (here === undefined || here.external)
      );
    });
    const chosen = some(random, elsewhere, 1, 2);
    const texts = chosen.flatMap((field) => this.#requiredText(home, field) ?? []);
    if (texts.length === 0) return;
    const requires = texts.map(({ text }) => text).join(' ');
    for (const { field, externals } of texts) {
      this.#define(part, field).external = true;
      for (const [of, name] of externals) {
        const other = home.types.get(of);
        if (other === undefined || other.fields.has(name)) continue;
        this.#define(other, this.#types.get(of)?.fields.get(name)).external = true;
      }
    }
    this.#compute(type, part, random.pick(['String', 'String', 'String!']), requires);
  }

  #compute(type: GraphType, part: TypePart, result: string, requires: string): GraphField {
    const name = `calc${[...type.fields.keys()].filter((each) => each.startsWith('calc')).length}`;
    const computed: GraphField = { name, type: result, args: '', requires };
    type.fields.set(name, computed);
    this.#define(part, computed).requires = requires;
    return computed;
  }

  /** Subgraphs that can compute a field of the entity, in random order. */
  #computing({ name }: GraphType): readonly SubgraphPlan[] {
    const homes = (this.#homes.get(name) ?? []).filter((home) =>
      home.types.get(name)?.keys.some(({ resolvable }) => resolvable),
    );
    return this.#random.shuffle([...homes]);
  }

  /** A leaf that the part does not resolve. */
  #leafElsewhere(type: GraphType, ...homes: readonly SubgraphPlan[]): GraphField | undefined {
    const leaves = [...type.fields.values()].filter(
      ({ name, args, type: of, requires }) =>
        args === '' && requires === undefined && !this.#types.has(baseOf(of)) && !/^(live|extra)/.test(name),
    );
    const lack = (name: string) => (home: SubgraphPlan) => {
      const part = home.types.get(type.name)?.fields.get(name);
      return part === undefined || part.external === true;
    };
    return this.#random.shuffle(leaves).find(({ name }) => homes.every(lack(name)));
  }

  /** A field that requires two others, which require the same one. */
  #addDiamond(type: GraphType): void {
    const [top, left, right = left] = this.#computing(type);
    if (top === undefined || left === undefined || right === undefined) return;
    const bottom = this.#leafElsewhere(type, left, right);
    if (bottom === undefined) return;
    const sides = [left, right].map((home) => {
      const part = this.#part(home, type.name, 'object');
      this.#define(part, bottom).external = true;
      return this.#compute(type, part, 'String', bottom.name);
    });
    const part = this.#part(top, type.name, 'object');
    for (const side of sides) this.#define(part, side).external = true;
    this.#compute(type, part, 'String', sides.map(({ name }) => name).join(' '));
  }

  /** A field that makes an object from its required fields. The object has a field that requires fields of two subgraphs. */
  #addMade(type: GraphType): void {
    const [home] = this.#computing(type);
    const needed = home && this.#leafElsewhere(type, home);
    if (home === undefined || needed === undefined) return;
    const target = this.#random.pick(this.#ofKind('entity').filter(({ name }) => !this.#isBarred(home, name)));
    const part = this.#part(home, type.name, 'object');
    this.#define(part, needed).external = true;
    this.#compute(type, part, target.name, needed.name);
    this.#addDiamond(target);
  }

  /** How a subgraph can require the field, and which fields of other types become external. */
  #requiredText(home: SubgraphPlan, field: GraphField) {
    const random = this.#random;
    const base = this.#types.get(baseOf(field.type));
    if (base === undefined) {
      if (field.args === '') return { text: field.name, field, externals: [] };
      const args = field.name === 'price' ? `currency: ${random.pick(['EUR', 'USD'])}` : undefined;
      if (field.name === 'note') return { text: 'note(upper: true, word: "w")', field, externals: [] };
      return args === undefined ? undefined : { text: `${field.name}(${args})`, field, externals: [] };
    }
    if (field.args !== '') return undefined;
    this.#need(home, base.name);
    if (home.types.get(base.name)?.kind === 'interfaceObject') return undefined;
    const inside = (name: string, requireds: number) => {
      const fields = [...(this.#types.get(name)?.fields.values() ?? [])].filter(
        (each) => !this.#types.has(baseOf(each.type)) && each.args === '' && !/^(live|extra)/.test(each.name),
      );
      return some(random, fields, 1, requireds).map((each) => [name, each.name] as const);
    };
    if (base.kind === 'entity' || base.kind === 'value') {
      const externals = inside(base.name, 2);
      if (externals.length === 0) return undefined;
      return { text: `${field.name} { ${externals.map(([, name]) => name).join(' ')} }`, field, externals };
    }
    const members = [...home.types.values()].filter((each) =>
      base.kind === 'union' ? home.types.get(base.name)?.members.has(each.name) : each.implements.has(base.name),
    );
    const parts = members.map((member) => ({ member, externals: inside(member.name, 1) }));
    const withFields = parts.filter(({ externals }) => externals.length > 0);
    if (withFields.length === 0) return undefined;
    const texts = withFields.map(({ member, externals }) => `... on ${member.name} { ${externals[0]?.[1]} }`);
    return {
      text: `${field.name} { ${texts.join(' ')} }`,
      field,
      externals: withFields.flatMap((each) => each.externals),
    };
  }

  #addProvides(subgraph: SubgraphPlan): void {
    for (const part of subgraph.types.values()) {
      if (part.kind !== 'object') continue;
      for (const place of part.fields.values()) {
        if (place.external || place.requires !== undefined || place.override !== undefined) continue;
        const base = subgraph.types.get(baseOf(place.field.type));
        if (base === undefined || base.kind === 'interfaceObject' || !chance(this.#random, 0.3)) continue;
        const texts = base.kind === 'object' ? this.#providable(base) : this.#providableOfMembers(subgraph, base);
        if (texts.length > 0) place.provides = texts.join(' ');
      }
    }
  }

  /** A field of the entity that this subgraph does not resolve otherwise. */
  #providable(part: TypePart): readonly string[] {
    const type = this.#types.get(part.name);
    if (type?.kind !== 'entity') return [];
    const fields = [...type.fields.values()].filter(
      ({ name, args, requires, type: text }) =>
        args === '' &&
        requires === undefined &&
        !/^(live|extra)/.test(name) &&
        !this.#types.has(baseOf(text)) &&
        (part.fields.get(name)?.external ?? !part.fields.has(name)) &&
        !this.#isOverridden(part.name, name),
    );
    return some(this.#random, fields, 1, 2).map((field) => {
      this.#define(part, field).external = true;
      return field.name;
    });
  }

  #providableOfMembers(subgraph: SubgraphPlan, base: TypePart): readonly string[] {
    const names = base.kind === 'union' ? [...base.members] : (this.#types.get(base.name)?.members ?? []);
    return names.flatMap((name) => {
      const member = subgraph.types.get(name);
      if (member === undefined || (base.kind === 'interface' && !member.implements.has(base.name))) return [];
      const texts = this.#providable(member);
      return texts.length === 0 ? [] : [`... on ${name} { ${texts.join(' ')} }`];
    });
  }

  #isOverridden(type: string, field: string): boolean {
    return this.#subgraphs.some(({ types }) => types.get(type)?.fields.get(field)?.override !== undefined);
  }

  /** Some fields are not for clients; another one stays visible. */
  #hideSome(): void {
    for (const type of this.#ofKind('entity')) {
      if (!chance(this.#random, 0.25)) continue;
      const ofInterface = new Set(this.#ofKind('interface').flatMap(({ fields }) => [...fields.keys()]));
      const hidden = this.#random.pick([...type.fields.keys()].filter((name) => !ofInterface.has(name)).concat('id'));
      if (hidden === 'id' || type.fields.size < 3) continue;
      for (const { types } of this.#subgraphs) {
        const part = types.get(type.name)?.fields.get(hidden);
        if (part !== undefined && !part.external) part.inaccessible = true;
      }
    }
  }

  /** Some fields are never null in one of their subgraphs. For clients they are nullable but never null. */
  #varyNullability(): void {
    for (const type of this.#ofKind('entity'))
      for (const field of type.fields.values()) {
        const parts = this.#subgraphs.flatMap(({ types }) => types.get(type.name)?.fields.get(field.name) ?? []);
        const isPlain = parts.every((part) => !part.external && part.requires === undefined);
        if (parts.length < 2 || !isPlain || field.type.endsWith('!') || this.#types.has(baseOf(field.type))) continue;
        const part = parts[0];
        if (part !== undefined && chance(this.#random, 0.15)) part.strict = true;
      }
  }
}

function plain(name: string, type: string): GraphField {
  return { name, type, args: '' };
}

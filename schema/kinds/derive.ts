// Makes the registry of manageable kinds from the graph as its clients see it. Throws where the graph leaves something open that
// declared.ts does not say.
import {
  buildASTSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLType,
  type GraphQLUnionType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { clientDocument } from '../../platform/graph/client-sdl.ts';
import { termsIn } from '../../platform/graph/terms.ts';
import { isSecretName } from '../../platform/values/secret-names.ts';
import { type Declared, declaredKinds, exceptions } from './declared.ts';
import {
  type Action,
  type InputField,
  type InputType,
  type Kind,
  lowerFirst,
  type OutputField,
  type Parent,
  type Registry,
  upperFirst,
} from './kind.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** The graph for administrators, with its descriptions. */
export function adminSchema(supergraphSdl: string): GraphQLSchema {
  return buildASTSchema(clientDocument(supergraphSdl, 'admin'), { assumeValidSDL: true });
}

export function deriveRegistry(schema: GraphQLSchema): Registry {
  return new Derivation(schema).registry();
}

/** The mutations of each kind, by its type; `others`: those that belong to no kind and are in no list. */
export function mutationsByKind(schema: GraphQLSchema): {
  readonly of: ReadonlyMap<string, readonly string[]>;
  readonly others: readonly string[];
} {
  const excepted = new Set(exceptions.flatMap(({ mutations }) => mutations));
  const types = Object.keys(declaredKinds).toSorted((a, b) => b.length - a.length);
  const of = new Map<string, string[]>(types.map((type) => [type, []]));
  const others: string[] = [];
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    if (excepted.has(field.name) || getNamedType(field.type).name === relayedPayload) continue;
    const type = types.find((each) => /^[A-Z]/.test(field.name.slice(each.length)) && startsWith(field.name, each));
    if (type === undefined) others.push(field.name);
    else of.get(type)?.push(field.name);
  }
  return { of, others };
}

/** Of each mutation that is relayed to a backend. */
const relayedPayload = 'RelayPayload';

/** Those of them that take a backend. */
function callsIn(schema: GraphQLSchema): readonly string[] {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  return mutations
    .filter(({ type, args }) => {
      const input = getNamedType(args[0]?.type);
      const takesBackend = isInputObjectType(input) && 'backend' in input.getFields();
      return getNamedType(type).name === relayedPayload && takesBackend;
    })
    .map(({ name }) => name);
}

const startsWith = (mutation: string, type: string) => mutation.startsWith(lowerFirst(type));

class Derivation {
  readonly #schema: GraphQLSchema;
  readonly #inputs = new Map<string, InputType>();
  readonly #enums = new Map<string, Record<string, string>>();
  readonly #mutations: ReadonlyMap<string, readonly string[]>;

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
    this.#mutations = mutationsByKind(schema).of;
  }

  registry(): Registry {
    const kinds = Object.entries(declaredKinds).map(([type, declared]) => [type, this.#kind(type, declared)]);
    const calls = callsIn(this.#schema).map((name) => [name, this.#action(name, this.#object('RelayOperation'))]);
    return {
      kinds: Object.fromEntries(kinds),
      calls: Object.fromEntries(calls),
      inputs: Object.fromEntries([...this.#inputs].sort(byKey)),
      enums: Object.fromEntries([...this.#enums].sort(byKey)),
    };
  }

  #kind(type: string, declared: Declared): Kind {
    const object = this.#object(type);
    const { nouns, short = [], key = ['name'], columns, parent: parentType } = declared;
    const actions = Object.fromEntries(
      (this.#mutations.get(type) ?? []).map((mutation) => [
        lowerFirst(mutation.slice(type.length)),
        this.#action(mutation, object),
      ]),
    );
    const list = this.#list(object);
    const one = this.#one(object);
    const parent = parentType === undefined ? undefined : this.#parent(object, parentType, actions);
    const set = [...this.#objectsSet(actions), ...this.#anySet(actions), ...(declared.also ?? [])];
    const output = this.#output(object, new Set(set));
    for (const column of columns)
      if (!output.some(({ name }) => name === column)) throw new Error(`${type} has no field ${column} for a table`);
    return {
      ...{ type, noun: nouns[0], singular: nouns[1], short, description: object.description ?? '' },
      scope: parent !== undefined ? 'parent' : inProject(object) ? 'project' : 'installation',
      ...(parent === undefined ? {} : { parent }),
      key,
      ...(list === undefined ? {} : { list }),
      ...(one === undefined ? {} : { one }),
      node: object.getInterfaces().some(({ name }) => name === 'Node'),
      output,
      columns,
      actions,
    };
  }

  /** Fields of the inputs that take an object. */
  #objectsSet(actions: Kind['actions']): readonly string[] {
    return Object.values(actions)
      .flatMap(({ input }) => this.#inputs.get(input)?.fields ?? [])
      .filter(({ type, tree }) => this.#inputs.has(type) && tree === undefined)
      .map(({ name }) => name);
  }

  /** Fields of the type that link to objects of any kind, whose ids the inputs take. */
  #anySet(actions: Kind['actions']): readonly string[] {
    return Object.values(actions)
      .flatMap(({ input }) => this.#inputs.get(input)?.fields ?? [])
      .filter(({ type, refersTo }) => type === 'ID' && refersTo === undefined)
      .map(({ name }) => name.replace(/Id$/, ''));
  }

  #object(type: string): GraphQLObjectType {
    const found = this.#schema.getType(type);
    if (!isObjectType(found)) throw new Error(`the graph has no type ${type}`);
    return found;
  }

  #action(mutation: string, object: GraphQLObjectType): Action {
    const field = this.#schema.getMutationType()?.getFields()[mutation];
    const input = getNamedType(field?.args[0]?.type);
    const payload = getNamedType(field?.type);
    const terms = termsIn(field?.description);
    if (!isInputObjectType(input) || !isObjectType(payload) || terms === undefined)
      throw new Error(`${mutation} has no input, payload or terms`);
    this.#input(input, object);
    const fields = Object.values(payload.getFields());
    const made = fields.find((each) => getNamedType(each.type) === object);
    const secrets = fields.filter(({ name, type }) => isOnceShown(name) && isLeafType(getNamedType(type)));
    return {
      ...{ mutation, input: input.name, description: sentence(field?.description), role: terms.role },
      refuses: terms.refuses,
      ...(made === undefined ? {} : { object: made.name }),
      ...(secrets.length === 0 ? {} : { secrets: secrets.map(({ name }) => name) }),
    };
  }

  /** `object`: whose fields say what an id refers to. */
  #input(input: GraphQLInputObjectType, object: GraphQLObjectType | undefined): void {
    if (this.#inputs.has(input.name)) return;
    const made: { -readonly [Name in keyof InputType]: InputType[Name] } = {
      ...(input.isOneOf ? { oneOf: true } : {}),
      fields: [],
    };
    this.#inputs.set(input.name, made);
    made.fields = Object.values(input.getFields()).map((field) => this.#inputField(field, input.name, object));
  }

  #inputField(field: GraphQLInputField | GraphQLArgument, of: string, object?: GraphQLObjectType): InputField {
    const type = getNamedType(field.type);
    const made: Mutable<InputField> = {
      name: field.name,
      type: type.name,
      description: field.description ?? '',
    };
    if (isListed(field.type)) made.list = true;
    if (isNonNullType(field.type) && field.defaultValue === undefined) made.required = true;
    if (field.defaultValue !== undefined) made.default = field.defaultValue as NonNullable<InputField['default']>;
    if (isEnumType(type))
      this.#enums.set(
        type.name,
        Object.fromEntries(type.getValues().map(({ name, description }) => [name, description ?? ''])),
      );
    if (isInputObjectType(type)) {
      const part = this.#schema.getType(type.name.replace(/TreeInput$/, ''));
      this.#input(type, isObjectType(part) ? part : undefined);
      if (isObjectType(part)) made.tree = true;
    }
    const referred = type.name === 'ID' && !ownIds.has(field.name) ? this.#referred(field.name, of, object) : undefined;
    if (referred !== undefined) made.refersTo = referred;
    if (type.name === 'String' && isSecretField(field.name, made.description)) made.secret = true;
    else if (type.name === 'String' && !isListed(field.type) && /\bPEM\b/.test(made.description)) made.file = true;
    const bounds = isLeafType(type) && ['Int', 'Float'].includes(type.name) ? boundsIn(made.description) : undefined;
    if (bounds !== undefined) made.bounds = bounds;
    return made;
  }

  /** The kind of a field such as fallbackPoolId: what the type links to by that name, or the type of that name. Undefined: any object. */
  #referred(name: string, of: string, object?: GraphQLObjectType): string | undefined {
    const base = name.replace(/Ids?$/, '');
    const names = name.endsWith('s') ? [`${base}s`, `${base.replace(/y$/, 'ie')}s`] : [base];
    const fields = object?.getFields() ?? {};
    const linked = names.map((each) => fields[each]).find((each) => each !== undefined);
    const type = linked === undefined ? undefined : getNamedType(linked.type).name;
    if (type !== undefined && type in declaredKinds) return type;
    if (type === 'Node') return undefined;
    // In an input inside of another one: GslbMonitorTargetInput.poolId is a GslbPool.
    const [ending] = Object.keys(declaredKinds)
      .filter((each) => each.endsWith(lastWord(upperFirst(base))))
      .toSorted((a, b) => common([b, of]).length - common([a, of]).length);
    if (ending !== undefined) return ending;
    throw new Error(`${of}.${name} is the id of no kind: declare the kind, or what it refers to`);
  }

  #list(object: GraphQLObjectType): Kind['list'] {
    const field = this.#rootFields().find(
      ({ type, name }) => getNamedType(type).name === `${object.name}Connection` && !name.endsWith('History'),
    );
    if (field === undefined) return undefined;
    const filters = field.args.filter(({ name }) => !pageArguments.has(name));
    return { field: field.name, filters: filters.map((each) => this.#inputField(each, field.name, object)) };
  }

  #one(object: GraphQLObjectType): string | undefined {
    return this.#rootFields().find(({ type, args }) => type === object && args.some(({ name }) => name === 'id'))?.name;
  }

  #rootFields(): GraphQLField<unknown, unknown>[] {
    return Object.values(this.#schema.getQueryType()?.getFields() ?? {});
  }

  #parent(object: GraphQLObjectType, parentType: string, actions: Kind['actions']): Parent {
    const make = actions.create ?? actions.set;
    const parent = this.#object(parentType);
    const input = `${lowerFirst(parentType)}Id`;
    const known = this.#inputs.get(make?.input ?? '')?.fields ?? [];
    const candidates = known.filter(({ name, refersTo }) => refersTo === parentType || name === input);
    const field = candidates.find(({ required }) => required)?.name;
    const link = Object.values(object.getFields()).find(({ type }) => getNamedType(type) === parent)?.name;
    const children = Object.values(parent.getFields()).find(
      ({ type }) => getNamedType(type) === object || getNamedType(type).name === `${object.name}Connection`,
    );
    if (field === undefined || children === undefined)
      throw new Error(`${object.name} and its parent ${parentType} do not lead to each other`);
    const has = getNamedType(children.type) !== object ? 'pages' : isListed(children.type) ? 'list' : 'one';
    return { kind: parentType, input: field, link: link ?? lowerFirst(parentType), children: children.name, has };
  }

  /** Plain fields, links to kinds, and objects that an input sets. */
  #output(object: GraphQLObjectType, set: ReadonlySet<string>, depth = 0): readonly OutputField[] {
    return Object.values(object.getFields()).flatMap((field): OutputField[] => {
      const { name } = field;
      const type = getNamedType(field.type);
      const list = isListed(field.type) ? ({ list: true } as const) : {};
      if (field.args.some(({ type: of }) => isNonNullType(of))) return [];
      // What a form is made from is not of the object.
      if (type.name === 'JsonSchema') return [];
      if (isLeafType(type)) return [{ name, ...list }];
      if (field.args.length > 0) return [];
      if (type.name in declaredKinds) {
        // The parts of an object are read as a list of their own.
        const isPart = declaredKinds[type.name]?.parent === object.name;
        return isPart ? [] : [{ name, ...list, refersTo: type.name }];
      }
      if (depth > 3 || (depth === 0 && !set.has(name))) return [];
      if (type.name === 'Node') return [{ name, ...list, fields: [{ name: 'id' }] }];
      if (isUnionType(type)) return [{ name, ...list, variants: this.#variants(type, depth) }];
      if (!isObjectType(type)) return [];
      const fields = this.#output(type, set, depth + 1);
      return fields.length === 0 ? [] : [{ name, ...list, fields }];
    });
  }

  #variants(union: GraphQLUnionType, depth: number): NonNullable<OutputField['variants']> {
    const types = union.getTypes();
    const names = types.map(({ name }) => name);
    const [start, end] = [common(names), common(names.map(reversed)).length];
    const shapes = new Map<string, Set<string>>();
    for (const { name, type } of types.flatMap((each) => Object.values(each.getFields())))
      shapes.set(name, (shapes.get(name) ?? new Set()).add(String(type)));
    return types.map((type) => ({
      type: type.name,
      as: lowerFirst(type.name.slice(start.length, type.name.length - end)),
      fields: this.#output(type, new Set(), depth + 1).map((field) =>
        (shapes.get(field.name)?.size ?? 0) > 1 ? { ...field, aliased: true as const } : field,
      ),
    }));
  }
}

const ownIds: ReadonlySet<string> = new Set(['id']);
const pageArguments: ReadonlySet<string> = new Set(['first', 'after', 'orderBy']);

function isListed(type: GraphQLType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function inProject(object: GraphQLObjectType): boolean {
  return getNamedType(object.getFields().project?.type as GraphQLNamedType | undefined)?.name === 'Project';
}

/** Names that only some inputs have for a secret, beside those that are secret everywhere. */
const furtherSecrets = /^(apiKey|\w+Secret)$/;

/** Also a text that is sealed, such as the URL of a webhook: whoever knows it may post there. */
function isSecretField(name: string, description: string): boolean {
  return (
    isSecretName(name) || furtherSecrets.test(name) || /\bstored encrypted\b/.test(description.replaceAll(/\s+/g, ' '))
  );
}

const isOnceShown = (name: string) => name === 'secret' || name === 'joinToken';

/** In "in milliseconds, 1000 to 3600000". */
function boundsIn(description: string): InputField['bounds'] {
  const found = /(-?\d[\d,]*(?:\.\d+)?) to (-?\d[\d,]*(?:\.\d+)?)/.exec(description);
  if (found === null) return undefined;
  const [least, most] = found.slice(1, 3).map((text) => Number(text.replaceAll(',', '')));
  return least === undefined || most === undefined || least > most ? undefined : { least, most };
}

/** Without the terms. */
function sentence(description: string | null | undefined): string {
  return (description ?? '').replace(/ Role: .*$/s, '');
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}

/** LoadBalancer is one word: a kind of that name may be among many words. */
function lastWord(text: string): string {
  const kind = Object.keys(declaredKinds).find((each) => each === text);
  return kind ?? /[A-Z][a-z]*$/.exec(text)?.[0] ?? text;
}

const reversed = (text: string) => [...text].reverse().join('');

function common(texts: readonly string[]): string {
  const [first = ''] = texts;
  let length = first.length;
  while (!texts.every((each) => each.startsWith(first.slice(0, length)))) length -= 1;
  return first.slice(0, length);
}

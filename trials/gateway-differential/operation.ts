// Random operations on a schema: aliases that repeat names of the graph, fragments, conditions, variables, several operations.
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
  parse,
  print,
  validate,
} from 'graphql';
import type { Random } from '../random.ts';
import { chance, some } from './chance.ts';

export interface RandomOperation {
  readonly text: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Aliases that have a special meaning in JavaScript or in an executor. */
const oddAliases = ['__proto__', 'constructor', 'toString', '_1', '_2', 'id', 'name', '__typename'] as const;
const attempts = 6;
const deepest = 4;

/** Valid; later attempts have fewer aliases, which may contradict each other. */
export function randomOperation(random: Random, schema: GraphQLSchema, names: readonly string[]): RandomOperation {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const made = new Writer(random, schema, names, attempt === attempts - 1 ? 0 : 0.4 / (attempt + 1)).write();
    if (validate(schema, parse(made.text)).length === 0) return made;
  }
  return { text: '{ __typename }', operationName: undefined, variables: {} };
}

class Writer {
  readonly #random: Random;
  readonly #schema: GraphQLSchema;
  readonly #aliases: readonly string[];
  readonly #aliasOdds: number;
  #variables = new Map<string, { readonly type: string; readonly fallback: string }>();
  readonly #values: Record<string, unknown> = {};
  readonly #fragments: string[] = [];
  #fieldsLeft = 30;

  constructor(random: Random, schema: GraphQLSchema, names: readonly string[], aliasOdds: number) {
    this.#random = random;
    this.#schema = schema;
    this.#aliases = [...names, ...oddAliases];
    this.#aliasOdds = aliasOdds;
  }

  write(): RandomOperation {
    const several = chance(this.#random, 0.15);
    const main = this.#operation('Main');
    const text = several ? [this.#operation('Other'), main] : [main];
    if (several) this.#random.shuffle(text);
    const operationName = several || chance(this.#random, 0.5) ? 'Main' : undefined;
    return { text: print(parse([...text, ...this.#fragments].join('\n'))), operationName, variables: this.#values };
  }

  #operation(name: string): string {
    const mutation = this.#schema.getMutationType();
    const isMutation = mutation != null && chance(this.#random, 0.15);
    const root = isMutation ? mutation : this.#schema.getQueryType();
    if (root == null) throw new Error('the graph has no queries');
    this.#variables = new Map();
    const body = this.#selections(root, 0);
    const variables = [...this.#variables].map(([variable, { type, fallback }]) => `$${variable}: ${type}${fallback}`);
    const given = variables.length === 0 ? '' : `(${variables.join(', ')})`;
    return `${isMutation ? 'mutation' : 'query'} ${name}${given} ${body}`;
  }

  #selections(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const parts: string[] = [];
    const count = random.integer(1, depth === 0 ? 5 : 4);
    for (let each = 0; each < count; each += 1) parts.push(this.#selection(type, depth));
    return `{ ${parts.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const roll = random.next();
    if (depth === 0 && roll < 0.04) return this.#introspection();
    if (roll < 0.1 && depth > 0) return `${this.#alias()}__typename${this.#conditions()}`;
    if (isAbstractType(type) && (roll < 0.55 || isUnionType(type))) {
      const members = this.#schema.getPossibleTypes(type);
      if (members.length === 0) return '__typename';
      return this.#fragment(random.pick(members), depth);
    }
    if (roll < 0.2 && depth < deepest && this.#fieldsLeft > 0) return this.#fragment(type, depth);
    if (isUnionType(type)) return '__typename';
    const fields = Object.values(type.getFields());
    const simple = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    const usable = depth >= deepest || this.#fieldsLeft <= 0 ? simple : fields;
    if (usable.length === 0) return '__typename';
    const field = random.pick(usable);
    this.#fieldsLeft -= 1;
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.#selections(named, depth + 1)}` : '';
    return `${this.#alias()}${field.name}${this.#arguments(field.args)}${this.#conditions()}${below}`;
  }

  #introspection(): string {
    const { name } = this.#random.pick(Object.values(this.#schema.getTypeMap()));
    return this.#random.pick([
      `${this.#alias()}__typename`,
      '__schema { queryType { name } types { name kind } }',
      `__type(name: "${name}") { name kind fields { name type { name } } }`,
    ]);
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const body = this.#selections(type, depth);
    if (depth > 0 && chance(this.#random, 0.3)) {
      const name = `Part${this.#fragments.length}`;
      this.#fragments.push(`fragment ${name} on ${type.name} ${body}`);
      return `...${name}${this.#conditions()}`;
    }
    return `... on ${type.name}${this.#conditions()} ${body}`;
  }

  #alias(): string {
    return chance(this.#random, this.#aliasOdds) ? `${this.#random.pick(this.#aliases)}: ` : '';
  }

  #conditions(): string {
    if (!chance(this.#random, 0.15)) return '';
    const condition = (name: string) => {
      if (chance(this.#random, 0.4)) return ` @${name}(if: ${chance(this.#random, 0.5)})`;
      return ` @${name}(if: ${this.#variable('Boolean!', chance(this.#random, 0.5))})`;
    };
    return some(this.#random, ['skip', 'include'], 1).map(condition).join('');
  }

  #arguments(args: readonly GraphQLArgument[]): string {
    const given = args.filter(
      (arg) => (isNonNullType(arg.type) && arg.defaultValue === undefined) || chance(this.#random, 0.6),
    );
    if (given.length === 0) return '';
    const texts = given.map((arg) => {
      const value = this.#value(arg.type, 0);
      const isVariable = chance(this.#random, 0.5) && (value !== null || !isNonNullType(arg.type));
      return `${arg.name}: ${isVariable ? this.#variable(String(arg.type), value) : this.#literal(arg.type, value)}`;
    });
    return `(${texts.join(', ')})`;
  }

  /** A new variable. Its value is given, or left to a default. */
  #variable(type: string, value: unknown): string {
    const name = `v${Object.keys(this.#values).length}_${this.#variables.size}`;
    const isBoolean = type === 'Boolean!' && chance(this.#random, 0.4);
    const fallback = isBoolean ? ` = ${value}` : '';
    this.#variables.set(name, { type, fallback });
    if (fallback === '' || chance(this.#random, 0.5)) this.#values[name] = isBoolean ? value !== true : value;
    return `$${name}`;
  }

  #value(type: GraphQLInputType, depth: number): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#value(type.ofType, depth);
    if (isListType(type)) {
      const item = isNonNullType(type.ofType) ? type.ofType : type.ofType;
      return Array.from({ length: random.integer(0, 2) }, () => this.#value(item, depth + 1));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(({ type: of }) => !isInputObjectType(of) || depth < 1);
      return Object.fromEntries(
        some(random, fields, 0, 3).map((each) => [each.name, this.#value(each.type, depth + 1)]),
      );
    }
    switch (type.name) {
      case 'Int':
        return random.integer(0, 5);
      case 'Boolean':
        return chance(random, 0.5);
      case 'Json':
        return random.pick<unknown>([1, 'text', { deep: [1, { id: 'x' }] }, [null, true]]);
      default:
        return random.pick(['product-1', 'w', '', 'ä"\\']);
    }
  }

  #literal(type: GraphQLInputType, value: unknown): string {
    if (isNonNullType(type)) return this.#literal(type.ofType, value);
    if (value === null || value === undefined) return 'null';
    if (isListType(type)) return `[${(value as unknown[]).map((each) => this.#literal(type.ofType, each)).join(', ')}]`;
    if (isEnumType(type)) return String(value);
    if (isInputObjectType(type)) {
      const fields = Object.entries(value).map(([name, each]) => {
        const field = type.getFields()[name];
        return field === undefined ? '' : `${name}: ${this.#literal(field.type, each)}`;
      });
      return `{${fields.join(', ')}}`;
    }
    return untyped(value);
  }
}

function untyped(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(untyped).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, each]) => `${name}: ${untyped(each)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

// Documents over every field of the graph, generated from its schema by the seed: any root field with any arguments.
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { decodeId, encodeId, newUuid } from '../../platform/values/ids.ts';
import type { Random } from '../random.ts';
import { nastyTexts } from './nasty-texts.ts';

type RootKind = 'query' | 'mutation' | 'subscription';

export interface Question {
  /** For example `query backends`. */
  readonly kind: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The ids of alpha that it contains. */
  readonly alphaIds: readonly string[];
}

interface QuestionSource {
  readonly schema: GraphQLSchema;
  /** Ids of the attacked project and of the attackers. */
  readonly alphaIds: readonly string[];
  readonly ownIds: readonly string[];
  /** Names, codes and cursors to try. */
  readonly texts: readonly string[];
  readonly cursors: readonly string[];
}

const mostDepth = 4;
const mostFields = 6;
const idTypes = ['Project', 'User', 'ApiToken', 'Machine', 'Backend', 'Mapping', 'RelayOperation', 'StatusChange'];

export class Questions {
  readonly #source: QuestionSource;
  readonly #random: Random;
  readonly #turns = new Map<RootKind, GraphQLField<unknown, unknown>[]>();
  #alphaIds: string[] = [];

  constructor(source: QuestionSource, random: Random) {
    this.#source = source;
    this.#random = random;
  }

  /** Every root field of that kind is used once before one is used again. */
  next(kind: RootKind): Question {
    const left = this.#turns.get(kind) ?? [];
    if (left.length === 0) left.push(...this.#random.shuffle(this.#rootFields(kind)));
    this.#turns.set(kind, left);
    const field = left.pop();
    if (field === undefined) throw new Error(`the graph has no ${kind}`);
    return this.#over(kind, field);
  }

  #rootFields(kind: RootKind): readonly GraphQLField<unknown, unknown>[] {
    const { schema } = this.#source;
    const roots = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    };
    return Object.values(roots[kind]?.getFields() ?? {});
  }

  #over(kind: RootKind, field: GraphQLField<unknown, unknown>): Question {
    this.#alphaIds = [];
    const given = field.args.filter((argument) => isRequiredArgument(argument) || this.#chance(0.6));
    const declared = given.map(({ name, type }) => `$${name}: ${type}`).join(', ');
    const passed = given.map(({ name }) => `${name}: $${name}`).join(', ');
    const variables = Object.fromEntries(given.map(({ name, type }) => [name, this.#value(type, name, field.name)]));
    const head = declared === '' ? kind : `${kind} (${declared})`;
    const query = `${head} { ${field.name}${passed === '' ? '' : `(${passed})`}${this.#selection(field.type, 0)} }`;
    return { kind: `${kind} ${field.name}`, query, variables, alphaIds: this.#alphaIds };
  }

  #selection(type: GraphQLOutputType, depth: number): string {
    const named = getNamedType(type);
    if (!isCompositeType(named)) return '';
    if (!isObjectType(named) && !isInterfaceType(named)) return ' { __typename }';
    const possible = isInterfaceType(named) ? this.#source.schema.getPossibleTypes(named) : [];
    const fields = Object.values(named.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
    const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)));
    const objects = depth < mostDepth ? fields.filter((field) => !leaves.includes(field)) : [];
    const chosen = [
      ...this.#random.shuffle(leaves).slice(0, mostFields),
      ...this.#random.shuffle(objects).slice(0, depth === 0 ? 3 : 1),
    ];
    const inner = chosen.map((field) => `${field.name}${this.#selection(field.type, depth + 1)}`);
    const cases = possible.map((each) => `... on ${each.name}${this.#selection(each, depth + 1)}`);
    return ` { __typename ${[...inner, ...cases].join(' ')} }`;
  }

  #value(type: GraphQLInputType, name: string, root: string): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType, name, root);
    if (this.#chance(0.03)) return null;
    if (isListType(type))
      return Array.from({ length: this.#random.integer(0, 2) }, () => this.#value(type.ofType, name, root));
    if (isEnumType(type)) return this.#random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isRequiredInputField(field) || this.#chance(0.35),
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, field.name, root)]));
    }
    return this.#scalar(type.name, name, root);
  }

  #scalar(type: string, name: string, root: string): unknown {
    const random = this.#random;
    switch (type) {
      case 'ID':
        return this.#id(name, root);
      case 'Int':
      case 'Port':
        return random.pick([0, 1, 2, 20, 100, 1_000, 22, 443, -1, 65_535, 2_147_483_647]);
      case 'Float':
        return random.pick([0, -0.5, 1e308]);
      case 'Boolean':
        return this.#chance(0.5);
      case 'DateTime':
        return random.pick(['2026-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '0000-00-00', 'now', '']);
      case 'JSON':
        return random.pick<unknown>([{}, [], null, 'x', { set: 'blocked', table: 't' }, { __proto__: {} }, [[[[1]]]]]);
      case 'BigInt':
        return random.pick([0, '1', '-9223372036854775808', '9223372036854775808', 1e20, '1.5', '']);
      case 'IpAddress':
      case 'CidrBlock':
      case 'IpOrCidr':
        return random.pick(['10.0.0.0/8', '127.0.0.1', '::/0', '1.2.3.4/33', '']);
      default:
        return this.#text(name);
    }
  }

  #text(name: string): string {
    const { texts, cursors } = this.#source;
    if (name === 'after' && this.#chance(0.8)) return this.#random.pick(cursors);
    if (name === 'idempotencyKey') return `hostile-${newUuid()}`;
    return this.#random.pick(this.#chance(0.5) ? texts : nastyTexts);
  }

  #id(name: string, root: string): string {
    const meant = idTypes.find(
      (each) => name === `${lower(each)}Id` || (name === 'id' && root.startsWith(lower(each))),
    );
    const type = meant !== undefined && this.#chance(0.85) ? meant : this.#random.pick(idTypes);
    const of = (ids: readonly string[]) => ids.filter((id) => decodeId(id)?.type === type);
    const [alphas, own] = [of(this.#source.alphaIds), of(this.#source.ownIds)];
    const draw = this.#random.next();
    if (alphas.length > 0 && draw < 0.6) {
      const id = this.#random.pick(alphas);
      this.#alphaIds.push(id);
      return id;
    }
    if (own.length > 0 && draw < 0.75) return this.#random.pick(own);
    return draw < 0.9 ? encodeId(type, newUuid()) : this.#random.pick(nastyTexts);
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }
}

function lower(type: string): string {
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
}

/** The same request with ids that were never assigned, and a function that translates its answer into the ids of the first. */
export function neverTwin(question: Question): { readonly question: Question; inItsWords(text: string): string } {
  const twins = new Map(
    question.alphaIds.map((id) => [id, encodeId(decodeId(id)?.type ?? 'Backend', newUuid())] as const),
  );
  const replaced = (text: string) => [...twins].reduce((each, [id, never]) => each.replaceAll(id, never), text);
  const variables = JSON.parse(replaced(JSON.stringify(question.variables))) as Question['variables'];
  return {
    question: { ...question, variables, alphaIds: [] },
    inItsWords: (text) => [...twins].reduce((each, [id, never]) => each.replaceAll(never, id), text),
  };
}

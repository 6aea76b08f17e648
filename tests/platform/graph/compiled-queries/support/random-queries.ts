// Random queries of a schema with their variables: aliases, fragments, literals, defaults.
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import type { Random } from '../../../../../trials/random.ts';

/** A whole number below `bound`. */
function below(random: Random, bound: number): number {
  return random.integer(0, bound - 1);
}

export function randomQuery(schema: GraphQLSchema, random: Random): string {
  const variables: string[] = [];
  const fragments: string[] = [];
  const maker = { schema, random, variables, fragments };
  const body = selectionOf(maker, schema.getQueryType() as GraphQLNamedType, 4, 3);
  const given = variables.length === 0 ? '' : `(${variables.join(', ')})`;
  return `query Q${given} ${body} ${fragments.join(' ')}`;
}

interface Maker {
  readonly schema: GraphQLSchema;
  readonly random: Random;
  readonly variables: string[];
  readonly fragments: string[];
}

function selectionOf(maker: Maker, type: GraphQLNamedType, levels: number, most: number): string {
  const { random, schema, fragments } = maker;
  const parts: string[] = below(random, 3) === 0 ? ['__typename'] : [];
  const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
  const usable = fields.filter(
    ({ name, type: of }) => name !== '_service' && (levels > 0 || !isCompositeType(getNamedType(of))),
  );
  for (let left = 1 + below(random, most); left > 0 && usable.length > 0; left -= 1) {
    const field = usable[below(random, usable.length)];
    if (field !== undefined) parts.push(fieldText(maker, field, levels));
  }
  if (isAbstractType(type))
    for (const object of schema.getPossibleTypes(type))
      if (below(random, 2) === 0) parts.push(`... on ${object.name} ${selectionOf(maker, object, levels - 1, 2)}`);
  const text = parts.length === 0 ? '{ __typename }' : `{ ${parts.join(' ')} }`;
  if (!isCompositeType(type) || type === schema.getQueryType() || below(random, 4) > 0) return text;
  const name = `F${fragments.length}`;
  fragments.push(`fragment ${name} on ${type.name} ${text}`);
  return below(random, 2) === 0 ? `{ ...${name} }` : `{ ...${name} ... { ...${name} __typename } }`;
}

function fieldText(maker: Maker, field: GraphQLField<unknown, unknown>, levels: number): string {
  const { random, variables } = maker;
  const args = field.args.flatMap(({ name, type }) => {
    if (!isNonNullType(type) && below(random, 3) === 0) return [];
    const literal = below(random, 2) === 0 ? literalOf(maker, type, 2) : undefined;
    if (literal !== undefined) return [`${name}: ${literal}`];
    const variable = `v${variables.length}`;
    variables.push(`$${variable}: ${type}`);
    return [`${name}: $${variable}`];
  });
  const of = getNamedType(field.type);
  const alias = below(random, 3) === 0 ? `a${below(random, 100)}: ` : '';
  const head = `${alias}${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`}`;
  return isCompositeType(of) ? `${head} ${selectionOf(maker, of, levels - 1, 4)}` : head;
}

/** Undefined if only a variable is possible. */
function literalOf(maker: Maker, type: GraphQLInputType, levels: number): string | undefined {
  const value = inputOf(maker, type, levels);
  return isLiteral(value, getNamedType(type)) ? text(value, getNamedType(type)) : undefined;
}

function isLiteral(value: unknown, type: GraphQLNamedType): boolean {
  return !isInputObjectType(type) || value === null;
}

function text(value: unknown, type: GraphQLNamedType): string {
  if (Array.isArray(value)) return `[${value.map((item) => text(item, type)).join(', ')}]`;
  return isEnumType(type) && value !== null ? String(value) : JSON.stringify(value);
}

function inputOf(maker: Pick<Maker, 'random'>, given: GraphQLInputType, levels: number): unknown {
  const { random } = maker;
  if (!isNonNullType(given) && below(random, 8) === 0) return null;
  const type = getNullableType(given);
  if (isListType(type)) return Array.from({ length: below(random, 3) }, () => inputOf(maker, type.ofType, levels));
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter(({ type: of }) => isNonNullType(of) || (levels > 0 && below(random, 3) === 0))
        .map((field) => [field.name, inputOf(maker, field.type, levels - 1)]),
    );
  if (isEnumType(type)) return type.getValues()[below(random, type.getValues().length)]?.name;
  switch ((type as GraphQLNamedType).name) {
    case 'Int':
      return below(random, 100);
    case 'Float':
      return below(random, 100) / 4;
    case 'Boolean':
      return below(random, 2) === 0;
    default:
      return below(random, 30) === 0 ? 7 : `text ${below(random, 9)}`;
  }
}

/** Values for an operation's variables. Occasionally a value is missing or wrong. */
export function randomVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  random: Random,
): Record<string, unknown> {
  const entities = schema.getType('_Entity');
  const representation = () => {
    const types = isAbstractType(entities) ? schema.getPossibleTypes(entities) : [];
    return {
      __typename: types[below(random, Math.max(1, types.length))]?.name ?? 'None',
      id: `id-${below(random, 50)}`,
    };
  };
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, type: node }) => {
      const type = typeFromAST(schema, node as never) as GraphQLInputType;
      if (getNamedType(type).name === '_Any')
        return [[variable.name.value, Array.from({ length: below(random, 4) }, representation)]];
      const chance = below(random, 60);
      if (chance === 0) return [];
      return [[variable.name.value, chance === 1 ? { wrong: true } : inputOf({ random }, type, 3)]];
    }),
  );
}

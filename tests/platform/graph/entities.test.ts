// The product's resolver of `_entities` gives the same answers as that of @apollo/subgraph.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { expect, test } from '@jest/globals';
import { type ExecutionResult, execute, parse } from 'graphql';
import { executeQuery } from '../../../platform/graph/compiled-queries/compiled-query.ts';
import { resolveEntitiesAtOnce } from '../../../platform/graph/entities.ts';

const sdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  interface Named @key(fields: "id") { id: ID! name: String }
  type Thing implements Named @key(fields: "id") { id: ID! name: String }
  type Other implements Named @key(fields: "id") { id: ID! name: String }
  type Plain @key(fields: "id") { id: ID! name: String }
  type Query { a: Int }`;

/** The result of the reference resolver, by id. */
const found: Readonly<Record<string, (id: string) => unknown>> = {
  object: (id) => ({ id, name: 'at once' }),
  promise: async (id) => ({ id, name: 'later' }),
  frozen: (id) => Object.freeze({ id, name: 'frozen' }),
  typed: (id) => ({ __typename: 'Thing', id, name: 'typed' }),
  'of another type': (id) => ({ __typename: 'Other', id, name: 'other' }),
  null: () => null,
  undefined: () => undefined,
  'null later': async () => null,
  text: () => 'text',
  error: () => new Error('returned'),
  rejected: () => Promise.reject(new Error('rejected')),
  thrown: () => {
    throw new Error('thrown');
  },
};

function schemaOf(ours: boolean) {
  const reference = { __resolveReference: ({ id }: { id: string }) => found[id]?.(id) };
  const resolvers = { Thing: reference, Other: reference, Named: { ...reference, __resolveType: () => 'Thing' } };
  const modules = [{ typeDefs: parse(sdl), resolvers }] as Parameters<typeof buildSubgraphSchema>[0];
  const schema = buildSubgraphSchema(modules);
  if (ours) resolveEntitiesAtOnce(schema);
  return schema;
}

const document = parse(`query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename ... on Thing { id name } ... on Other { id name } ... on Plain { id name }
  }
}`);
const things = (...ids: readonly string[]) => ids.map((id) => ({ __typename: 'Thing', id }));
const whole = Object.keys(found).filter((each) => each !== 'thrown');

test.each([
  ['all at once', things('object', 'object', 'typed')],
  ...Object.keys(found).map((id) => [id, things('object', id, 'promise')] as const),
  ['many', things(...whole)],
  ['of several types', [...things('object'), { __typename: 'Other', id: 'promise' }]],
  ['without a resolver', [{ __typename: 'Plain', id: 'p', name: 'as it came' }]],
  ['of an interface', [{ __typename: 'Named', id: 'object' }, ...things('object')]],
  ['of a type that is not there', [...things('object'), { __typename: 'Nothing', id: '1' }]],
  ['of no type', [{ id: '1' }]],
  ['none', []],
])('%s', async (_name, representations) => {
  const ask = async (ours: boolean, way: typeof execute | typeof executeQuery) => {
    const variableValues = { representations: structuredClone(representations) };
    const result = await way({ schema: schemaOf(ours), document, variableValues, contextValue: {} } as never);
    const { data, errors = [] } = JSON.parse(JSON.stringify(result)) as ExecutionResult;
    // An immediate failure is reported first, so errors are sorted.
    return { data, errors: errors.toSorted((one, other) => Number(one.path?.[1]) - Number(other.path?.[1])) };
  };
  for (const way of [execute, executeQuery]) expect(await ask(true, way)).toEqual(await ask(false, way));
});

test('an entity that is available at once is not a promise', () => {
  const field = schemaOf(true).getQueryType()?.getFields()._entities;
  const entities = field?.resolve?.(undefined, { representations: things('object', 'promise') }, {}, {} as never);
  expect(entities).toEqual([{ id: 'object', name: 'at once' }, expect.any(Promise)]);
});

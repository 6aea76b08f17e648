// Which operations are compiled, which ones graphql-js executes, and what a resolver may rely on.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { expect, test } from '@jest/globals';
import { type ExecutionResult, execute, parse } from 'graphql';
import { executeQuery } from '../../../../platform/graph/compiled-queries/compiled-query.ts';

const order: string[] = [];
const schema = buildSubgraphSchema([
  {
    typeDefs: parse(`
      type Item { name: String size(of: [Int!] = [1, 2]): Int }
      type Query { item: Item required: [Item!] sum(of: [Int!], times: Int = 1): Int failing: [String!] }
      type Mutation { add(name: String): String }`),
    resolvers: {
      Query: {
        item: () => ({ name: 'one' }),
        sum: (_: unknown, args: { of: number[]; times: number }) => {
          args.of.push(100);
          const sum = args.of.reduce((all, each) => all + each, 0) * args.times;
          args.times = 7;
          return sum;
        },
        failing: () => [Promise.reject(new Error('later')), new Error('at once')],
      },
      Mutation: {
        async add(_: unknown, { name }: { name: string }) {
          order.push(`begin ${name}`);
          await undefined;
          order.push(`end ${name}`);
          return name;
        },
      },
    },
  },
]);

async function both(text: string, variableValues = {}, operationName?: string) {
  const document = parse(text, { noLocation: true });
  const args = { schema, document, variableValues, operationName, contextValue: {} };
  const [expected, actual] = [await execute(args), await executeQuery(args)];
  expect(JSON.stringify(actual)).toBe(JSON.stringify(expected));
  return actual;
}

/** graphql-js creates objects with another prototype. */
function isCompiled({ data }: ExecutionResult): boolean {
  return data != null && Object.getPrototypeOf(data) !== null;
}

test('a query is compiled, and one of several is chosen by its name', async () => {
  expect(isCompiled(await both('{ item { name __typename ... on Item { size } } }'))).toBe(true);
  expect(isCompiled(await both('query A { item { name } } query B { item { size } }', {}, 'B'))).toBe(true);
});

test.each([
  ['@skip and @include', 'query($v: Boolean!) { item @skip(if: $v) { name } }', { v: true }],
  ['a directive in a fragment', '{ item { ...F } } fragment F on Item { name @include(if: false) size }', {}],
  ['introspection', '{ __type(name: "Item") { name } }', {}],
  ['mutations', 'mutation { a: add(name: "a") b: add(name: "b") }', {}],
])('graphql-js executes %s', async (_what, text, variables) => {
  expect(isCompiled(await both(text, variables))).toBe(false);
});

test('mutations run one after the other', async () => {
  order.length = 0;
  const document = parse('mutation { a: add(name: "a") b: add(name: "b") }');
  await executeQuery({ schema, document });
  expect(order).toEqual(['begin a', 'end a', 'begin b', 'end b']);
});

test('graphql-js reports faults of an operation or its variables', async () => {
  expect((await both('query A { item { name } } query B { item { name } }')).errors).toHaveLength(1);
  expect((await both('query A { item { name } }', {}, 'C')).errors).toHaveLength(1);
  expect((await both('query($v: Int!) { sum(of: [1], times: $v) }')).errors?.[0]?.message).toContain('$v');
});

test('a resolver that changes its arguments affects no other call and no later request', async () => {
  const text =
    'query($times: Int) { a: sum(of: [1, 2], times: $times) b: sum(of: [1, 2], times: $times) c: sum(of: [1, 2]) }';
  for (let time = 0; time < 2; time += 1)
    expect((await both(text, { times: 2 })).data).toEqual({ a: 206, b: 206, c: 103 });
});

test('if an item fails while others are awaited, none of their errors is unhandled', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    const document = parse('{ failing }', { noLocation: true });
    const { data, errors } = await executeQuery({ schema, document });
    await new Promise((resolve) => setImmediate(resolve));
    expect(data).toEqual({ failing: null });
    expect(errors?.map(({ message, path }) => ({ message, path }))).toEqual([
      { message: 'at once', path: ['failing', 1] },
    ]);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

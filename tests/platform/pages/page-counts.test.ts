// If a client requests only the count of a connection, no rows are read, and the count is the same.
import { expect, test } from '@jest/globals';
import { buildSchema, execute, parse } from 'graphql';
import { onlyCounted, type PageArguments, pageRequest } from '../../../platform/pages/connection.ts';
import { countPages } from '../../../platform/pages/page-counts.ts';

const taken: number[] = [];
const schema = buildSchema(`
  type Query { things(first: Int = 20, after: String): ThingConnection }
  type ThingConnection { nodes: [Thing!]! totalCount: Int }
  type Thing { name: String! things(first: Int = 20, after: String): ThingConnection }
`);
const things = (args: PageArguments) => {
  const take = args[onlyCounted] === true ? 0 : pageRequest(args).take;
  taken.push(take);
  const nodes = Array.from({ length: Math.min(take, 3) }, (_, at) => ({ name: `t${at}`, things }));
  return { nodes, count: async () => 3 };
};
countPages(schema);

async function ask(text: string): Promise<readonly [unknown, readonly number[]]> {
  taken.length = 0;
  const { data, errors } = await execute({ schema, document: parse(text), rootValue: { things } });
  expect(errors).toBeUndefined();
  return [JSON.parse(JSON.stringify(data)), [...taken]];
}

test.each([
  ['{ things { totalCount } }', [0]],
  ['{ things { __typename all: totalCount } }', [0]],
  ['{ things(first: 1) { nodes { name } totalCount } }', [2]],
  // A fragment may request rows.
  ['{ things(first: 1) { ...F } } fragment F on ThingConnection { totalCount }', [2]],
  // Fields with one response name are merged.
  ['{ things { totalCount } things { nodes { name } } }', [21]],
  ['{ things(first: 1) { nodes { things { totalCount } } } }', [2, 0, 0]],
])('%s', async (text, expected) => {
  const [data, takes] = await ask(text);
  expect(takes).toEqual(expected);
  expect(JSON.stringify(data)).toMatch(/3|t0/);
});

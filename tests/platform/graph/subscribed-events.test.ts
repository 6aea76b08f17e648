// The events of a subscription at a subgraph are completed several at a time, read together, and delivered in order.
import { expect, test } from '@jest/globals';
import { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { pino } from 'pino';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import { subscribeOnSchema } from '../../../platform/graph/execution.ts';
import { loader } from '../../../platform/pages/loader.ts';
import { newUuid } from '../../../platform/values/ids.ts';

const nameOf = Symbol('name');
const quiet = pino({ level: 'silent' });

/**
 * A stream of `count` events that are available at once, followed by the end or by `failure`. Each event needs a read of the thing that it is
 * about.
 */
async function stream({ count, failure }: { readonly count: number; readonly failure?: Error }) {
  const reads: (readonly string[])[] = [];
  const thing = new GraphQLObjectType<string, RequestContext>({
    name: 'Thing',
    fields: {
      id: { type: GraphQLString, resolve: (id) => id },
      name: {
        type: new GraphQLNonNull(GraphQLString),
        resolve: (id, _, context) =>
          loader(context, nameOf, id, async (ids) => {
            reads.push(ids);
            return new Map(ids.filter((each) => each !== 'thing 3').map((each) => [each, `name of ${each}`]));
          }),
      },
    },
  });
  async function* events() {
    for (let number = 1; number <= count; number += 1) yield { things: `thing ${number}` };
    if (failure !== undefined) throw failure;
  }
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { thing: { type: thing } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { things: { type: thing, subscribe: events } },
    }),
  });
  const context: RequestContext = { identity: null, requestId: newUuid(), loaders: new Map() };
  const document = parse('subscription { things { id name } }');
  const items = await subscribeOnSchema(schema, { document, context }, quiet);
  if (!(Symbol.asyncIterator in items)) throw new Error('it was refused');
  return { items, reads };
}

async function all<Value>(items: AsyncIterable<Value>): Promise<Value[]> {
  const seen: Value[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

test('events that arrive together are read together, and delivered in order', async () => {
  const { items, reads } = await stream({ count: 100 });
  const seen = await all(items);
  expect(seen).toHaveLength(100);
  expect(seen.map(({ data }) => (data as { things: { id: string } | null } | null)?.things?.id)).toEqual(
    Array.from({ length: 100 }, (_, index) => (index === 2 ? undefined : `thing ${index + 1}`)),
  );
  expect(seen[2]?.errors).toHaveLength(1);
  // At most 64 events are processed ahead of their reader.
  expect(reads.length).toBeLessThan(10);
});

test('a source that fails ends the stream with its error, after the events that it gave', async () => {
  const { items } = await stream({ count: 2, failure: new Error('the table is lost') });
  const seen = await all(items);
  expect(seen.map(({ data, errors }) => [data === undefined, errors?.[0]?.extensions?.code])).toEqual([
    [false, undefined],
    [false, undefined],
    [true, 'INTERNAL'],
  ]);
});

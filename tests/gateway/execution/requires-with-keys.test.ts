// A field with `@requires` on an entity with several keys, from a subgraph that knows one of the keys. The planner would use another key and
// abort its process.
// needs: processes
import { expect, test } from '@jest/globals';
import { federate, usePlanners } from './support/federation.ts';

usePlanners();

const orders = {
  sdl: 'type Query { order: Order } type Order @key(fields: "id", resolvable: false) { id: ID! }',
  resolvers: { Query: { order: () => ({ id: '1' }) } },
};

/** The subgraph with the required field. */
function pictures(keys: string, fields: string) {
  return {
    sdl: `type Order ${keys} { ${fields} media: Media } type Media { size: Int }`,
    resolvers: { Order: { __resolveReference: (given: object) => ({ ...given, media: { size: 9 } }) } },
  };
}

function owner(keys: string, fields: string) {
  const known = { id: '1', code: 'c', num: 7, color: 'RED' };
  return {
    sdl: `type Order ${keys} { ${fields} color: String media: Media @external volume: Int @requires(fields: "media { size }") }
      type Media { size: Int @external }`,
    resolvers: {
      Order: {
        __resolveReference: (given: object) => ({ ...known, ...given }),
        volume: ({ media }: { media?: { size: number } }) => media?.size ?? null,
      },
    },
  };
}

const [id, code, both] = ['@key(fields: "id")', '@key(fields: "code")', '@key(fields: "code num")'];

test.each([
  ['one key', pictures(id, 'id: ID!'), owner(id, 'id: ID!')],
  ['the known key first', pictures(code, 'code: ID!'), owner(`${id} ${code}`, 'id: ID! code: ID!')],
  ['the known key last', pictures(code, 'code: ID!'), owner(`${code} ${id}`, 'id: ID! code: ID!')],
  [
    'two keys on both sides',
    pictures(`${id} ${code}`, 'id: ID! code: ID!'),
    owner(`${id} ${code}`, 'id: ID! code: ID!'),
  ],
  ['a longer key', pictures(both, 'code: ID! num: Int'), owner(`${id} ${both}`, 'id: ID! code: ID! num: Int')],
])('%s', async (_what, required, requiring) => {
  const { ask } = federate({ orders, pictures: required, owner: requiring });
  expect(await ask('{ order { volume } }')).toEqual({ data: { order: { volume: 9 } } });
  expect(await ask('{ order { color volume id } }')).toEqual({ data: { order: { color: 'RED', volume: 9, id: '1' } } });
});

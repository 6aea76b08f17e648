// A subgraph that provides different fields of one type at different places. It gets no request for a field at a place that does not provide
// it.
// needs: processes
import { expect, test } from '@jest/globals';
import { federate, usePlanners } from './support/federation.ts';

usePlanners();

const users = `type User @key(fields: "id") { id: ID! mail: String @external }`;
const owner = {
  sdl: `type Order @key(fields: "id") { id: ID! active: Boolean @shareable weight: Int @shareable }
    type User @key(fields: "id") { id: ID! mail: String @shareable nick: String @shareable }`,
  resolvers: {
    Order: { __resolveReference: ({ id }: { id: string }) => ({ id, active: true, weight: 4 }) },
    User: { __resolveReference: ({ id }: { id: string }) => ({ id, mail: 'm@shop.test', nick: 'n' }) },
  },
};

test('of one type at two roots', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query { order: Order @provides(fields: "active") shop: Shop }
        type Shop { orders: [Order] @provides(fields: "weight") }
        type Order @key(fields: "id") { id: ID! active: Boolean @external weight: Int @external }`,
      resolvers: {
        Query: { order: () => ({ id: '1', active: true }), shop: () => ({ orders: [{ id: '1', weight: 4 }] }) },
      },
    },
    b: owner,
  });
  expect(await ask('{ order { weight active } shop { orders { active weight } } }')).toEqual({
    data: { order: { weight: 4, active: true }, shop: { orders: [{ active: true, weight: 4 }] } },
  });
  expect(await ask('{ order { weight } }')).toEqual({ data: { order: { weight: 4 } } });
});

test('of one type below others', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query { order: Order @provides(fields: "active") best: Order @provides(fields: "user { mail }") }
        ${users}
        type Order @key(fields: "id") { id: ID! user: User active: Boolean @external }`,
      resolvers: {
        Query: {
          order: () => ({ id: '1', active: true, user: { id: 'u' } }),
          best: () => ({ id: '1', user: { id: 'u', mail: 'm@shop.test' } }),
        },
      },
    },
    b: owner,
  });
  expect(await ask('{ order { active user { mail } } best { active user { mail nick } } }')).toEqual({
    data: {
      order: { active: true, user: { mail: 'm@shop.test' } },
      best: { active: true, user: { mail: 'm@shop.test', nick: 'n' } },
    },
  });
});

test('of objects of an interface', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query {
          one: Thing @provides(fields: "... on Order { active }") other: Thing @provides(fields: "... on User { mail } ... on Order { weight }")
        }
        union Thing = Order | User
        ${users}
        type Order @key(fields: "id") { id: ID! active: Boolean @external weight: Int @external }`,
      resolvers: {
        Query: {
          one: () => ({ __typename: 'Order', id: '1', active: true }),
          other: () => ({ __typename: 'User', id: 'u', mail: 'm@shop.test' }),
        },
      },
    },
    b: owner,
  });
  const order = '... on Order { active weight } ... on User { mail nick }';
  expect(await ask(`{ one { ${order} } other { ${order} } }`)).toEqual({
    data: { one: { active: true, weight: 4 }, other: { mail: 'm@shop.test', nick: 'n' } },
  });
});

test('of one type below itself', async () => {
  const book = { id: 'c1', name: 'Books', parts: [{ id: 'c2', name: 'Novels' }] };
  const { ask, asked } = federate({
    a: {
      sdl: `type Query { products: [Product] @shareable @provides(fields: "categories { id name parts { id name } }") }
        type Product @key(fields: "id") { id: ID! categories: [Category] @external }
        type Category @key(fields: "id") { id: ID! name: String parts: [Category] @external }`,
      // Only the providing place has the name.
      resolvers: {
        Query: { products: () => [{ id: 'p1', categories: [book] }] },
        Category: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
      },
    },
    b: {
      sdl: `type Product @key(fields: "id") { id: ID! categories: [Category] @shareable }
        type Category @key(fields: "id") { id: ID! parts: [Category] @shareable }`,
      resolvers: {
        Product: { __resolveReference: ({ id }: { id: string }) => ({ id, categories: [{ id: 'c1' }] }) },
        Category: { __resolveReference: ({ id }: { id: string }) => ({ id, parts: [{ id: 'c2' }] }) },
      },
    },
  });
  expect(await ask('{ products { id categories { id name parts { id name } } } }')).toEqual({
    data: { products: [{ id: 'p1', categories: [book] }] },
  });
  expect(asked).toHaveLength(1);
});

test('a field that every place provides is still read there', async () => {
  const { ask, asked } = federate({
    a: {
      sdl: `type Query { order: Order @provides(fields: "active weight") best: Order @provides(fields: "weight") }
        type Order @key(fields: "id") { id: ID! active: Boolean @external weight: Int @external }`,
      resolvers: {
        Query: { order: () => ({ id: '1', active: true, weight: 4 }), best: () => ({ id: '1', weight: 4 }) },
      },
    },
    b: owner,
  });
  expect(await ask('{ order { weight } best { weight } }')).toEqual({
    data: { order: { weight: 4 }, best: { weight: 4 } },
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/^a /);
});

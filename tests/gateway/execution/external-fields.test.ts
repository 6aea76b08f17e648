// No subgraph is asked for a field that is external there, because it would answer null without an error.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { ExternalFields } from '../../../gateway/execution/external-fields.ts';
import type { PlanNode } from '../../../gateway/execution/planner.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { federate, head, usePlanners } from './support/federation.ts';

usePlanners();

describe('of an @interfaceObject', () => {
  const { ask, asked } = federate({
    media: {
      sdl: `type Query { film: Media films: [Film] }
        interface Media @key(fields: "id") { id: ID! size: Int }
        type Film implements Media @key(fields: "id") { id: ID! size: Int }`,
      resolvers: {
        Query: {
          film: () => ({ __typename: 'Film', id: '1', size: 3 }),
          films: () => [
            { id: '1', size: 3 },
            { id: '2', size: 4 },
          ],
        },
        Media: { __resolveType: () => 'Film' },
        Film: { __resolveReference: ({ id }: { id: string }) => ({ id, size: Number(id) + 2 }) },
      },
    },
    stars: {
      sdl: `type Media @key(fields: "id") @interfaceObject
        { id: ID! size: Int @external stars: Int weight: Int @requires(fields: "size") }`,
      resolvers: {
        Media: {
          __resolveReference: (given: object) => given,
          stars: () => 5,
          weight: ({ size }: { size?: number }) => (size === undefined ? null : size * 10),
        },
      },
    },
  });

  test('its own fields beside an external one', async () => {
    expect(await ask('{ films { stars size } }')).toEqual({
      data: {
        films: [
          { stars: 5, size: 3 },
          { stars: 5, size: 4 },
        ],
      },
    });
    expect(asked.filter((each) => each.startsWith('stars')).join()).not.toMatch(/size/);
  });

  test('a field that requires it', async () => {
    expect(await ask('{ film { weight stars } }')).toEqual({ data: { film: { weight: 30, stars: 5 } } });
    expect(await ask('{ films { weight } }')).toEqual({ data: { films: [{ weight: 30 }, { weight: 40 }] } });
  });
});

describe('as the key of another subgraph', () => {
  const orders = {
    sdl: `type Query { order: Order @provides(fields: "region") found: Order @provides(fields: "region num") }
      type Order @key(fields: "id", resolvable: false) { id: ID! region: Int @external num: Int @external }`,
    resolvers: { Query: { order: () => ({ id: '1', region: 4 }), found: () => ({ id: '1', region: 4, num: 7 }) } },
  };
  const pictures = {
    sdl: 'type Order @key(fields: "code") { code: ID! media: Media } type Media { size: Int }',
    resolvers: { Order: { __resolveReference: () => ({ media: { size: 9 } }) } },
  };
  const owner = {
    sdl: `type Order @key(fields: "id") @key(fields: "code") @key(fields: "region num")
        { id: ID! code: ID! region: Int num: Int color: String media: Media @external volume: Int @requires(fields: "media { size }") }
      type Media { size: Int @external }`,
    resolvers: {
      Order: {
        __resolveReference: (given: object) => ({ id: '1', code: 'c', region: 4, num: 7, color: 'RED', ...given }),
        volume: ({ media }: { media?: { size: number } }) => media?.size ?? null,
      },
    },
  };
  const shop = (name: string) => ({
    sdl: `type Query { ${name}: Order } type Order @key(fields: "region num", resolvable: false) { region: Int num: Int }`,
    resolvers: { Query: { [name]: () => ({ region: 4, num: 7 }) } },
  });
  const others = '{ order { color region } found { num region color } }';
  const colors = { order: { color: 'RED', region: 4 }, found: { num: 7, region: 4, color: 'RED' } };

  test('another key is used', async () => {
    const { ask } = federate({ orders, pictures, owner });
    expect(await ask('{ order { volume } }')).toEqual({ data: { order: { volume: 9 } } });
    expect(await ask(others)).toEqual({ data: colors });
  });

  test('a plan that uses it is not executed', async () => {
    const { ask } = federate({ orders, pictures, owner, shop: shop('shop'), store: shop('store') });
    expect(await ask('{ order { volume } }')).toEqual({ data: { order: { volume: 9 } } });
    expect(await ask('{ shop { volume } }')).toEqual({ data: { shop: { volume: 9 } } });
    expect(await ask(others)).toEqual({ data: colors });
  });
});

describe('plans', () => {
  const external = new ExternalFields(
    composeSupergraph(
      new Map([
        [
          'a',
          `${head}type Query { named: Named me: User @provides(fields: "name home { street }") hit: Hit @provides(fields: "... on User { name }") all: [User] }
          union Hit = User | Place
          type Place { street: String @shareable }
          interface Named { name: String }
          type Address @key(fields: "id") { id: ID! street: String @external }
          type User implements Named @key(fields: "id") { id: ID! name: String @external home: Address @external friends: [User] }`,
        ],
        [
          'b',
          `${head}type User @key(fields: "id") { id: ID! name: String @shareable home: Address @shareable }
          type Place { street: String @shareable }
          type Address @key(fields: "id") { id: ID! street: String @shareable }`,
        ],
      ]),
    ),
  );
  const fetch = (operation: string, serviceName = 'a'): PlanNode => ({ kind: 'Fetch', serviceName, operation });
  const entities = (fields: string): string =>
    `query($r: [_Any!]!) { _entities(representations: $r) { ... on User { ${fields} } } }`;

  test.each([
    ['what is provided', '{ me { __typename id name home { street } } hit { ... on User { name } } }'],
    [
      'with names and fragments',
      '{ _1: me { ...u } } fragment u on User { _2: name home { ... on Address { street } } }',
    ],
    ['a key', '{ all { id friends { id } } }'],
    ['what is no field of the graph', '{ me { unknown } }'],
  ])('%s is allowed', (_what, text) => {
    expect(external.askedIn(fetch(text))).toBeUndefined();
  });

  test.each([
    ['a place that provides nothing', '{ all { name } }', 'User.name of a'],
    ['below what is provided', '{ me { friends { name } } }', 'User.name of a'],
    ['more than is provided', '{ hit { ... on User { name home { id } } } }', 'User.home of a'],
    ['in a fragment', '{ all { ...u } } fragment u on User { name }', 'User.name of a'],
    ['of one object of an interface', '{ named { name } }', 'User.name of a'],
    ['of an entity', entities('id name'), 'User.name of a'],
  ])('%s is refused', (_what, text, asked) => {
    expect(external.askedIn(fetch(text))).toBe(asked);
  });

  test('in each kind of step', () => {
    const [good, bad] = [fetch('{ me { name } }'), fetch('{ all { name } }')];
    const owner = fetch(entities('name'), 'b');
    const flatten = (node: PlanNode): PlanNode => ({ kind: 'Flatten', path: [], node });
    expect(external.askedIn({ kind: 'Sequence', nodes: [good, flatten(owner)] })).toBeUndefined();
    expect(external.askedIn({ kind: 'Parallel', nodes: [good, flatten(bad)] })).toBe('User.name of a');
    const batch = entities('name').replace('_entities', '_e0: _entities');
    expect(
      external.askedIn({ kind: 'BatchFetch', serviceName: 'a', operation: batch, entityBatch: { aliases: [] } }),
    ).toBe('User.name of a');
  });
});

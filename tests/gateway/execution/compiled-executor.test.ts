// How the executor turns plans and answers into a result: names, conditions, types, the order of mutations, and errors with the client's
// names.
// needs: processes
import { beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { lostSubgraph } from '../../../gateway/supergraph/lost-subgraph.ts';
import { type Federation, federate, type TestSubgraph, usePlanners } from './support/federation.ts';

usePlanners();

const thing = (id: string) => ({ __typename: 'Thing', id });
const names: Record<string, string> = { '1': 'one', '2': 'two' };
const done: string[] = [];

const alpha: TestSubgraph = {
  sdl: `
    scalar JSON
    enum Color { RED GREEN }
    interface Node { id: ID! }
    union Any = Thing | Other
    type Thing implements Node @key(fields: "id") {
      id: ID! legacyId: ID name(upper: Boolean): String size: Int twin: Thing grid: [[Thing]] color: Color json: JSON sure: String!
    }
    type Other implements Node @key(fields: "id org { id }") { id: ID! org: Org! label: String }
    type Org { id: ID! @shareable }
    interface Media @key(fields: "id") { id: ID! title: String }
    type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
    type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }
    type Query { thing(id: ID = "1"): Thing nodes: [Node] any: [Any] media: [Media] broken: String shared: Shared @shareable }
    type Shared { a: Int }
    type Mutation { first(n: Int): Thing second: Int! third: Thing }`,
  resolvers: {
    Query: {
      thing: (_: unknown, { id }: { id: string }) => thing(id),
      nodes: () => [thing('1'), { __typename: 'Other', id: '7', org: { id: '9' } }],
      any: () => [{ __typename: 'Other', id: '7', org: { id: '9' } }, thing('2')],
      media: () => [
        { __typename: 'Book', id: 'b', title: 'Book', pages: 3 },
        { __typename: 'Film', id: 'f', minutes: 90 },
      ],
      broken: () => {
        throw new Error('inner');
      },
      shared: () => ({ a: 1 }),
    },
    Mutation: {
      first: (_: unknown, { n }: { n: number }) => {
        done.push(`first ${n}`);
        return thing(String(n));
      },
      second: () => {
        done.push('second');
        throw new Error('no');
      },
      third: () => {
        done.push('third');
        return thing('3');
      },
    },
    Thing: {
      __resolveReference: ({ id }: { id: string }) => thing(id),
      legacyId: ({ id }: { id: string }) => `old ${id}`,
      name: ({ id }: { id: string }, { upper }: { upper?: boolean }) => (upper ? names[id]?.toUpperCase() : names[id]),
      size: ({ id }: { id: string }) => Number(id) * 10,
      twin: () => thing('2'),
      grid: () => [
        [thing('1'), thing('2')],
        [null, thing('1')],
      ],
      color: () => 'RED',
      json: () => ({ a: [1, { b: null }] }),
      sure: ({ id }: { id: string }) => (id === '2' ? null : 'yes'),
    },
    Media: {
      __resolveReference: ({ id }: { id: string }) => ({ __typename: id === 'f' ? 'Film' : 'Book', id, pages: 3 }),
    },
  },
};

const beta: TestSubgraph = {
  sdl: `
    type Thing @key(fields: "id") {
      id: ID! size: Int @external name(upper: Boolean): String @external
      price(in: String = "EUR"): Float weight: Int @requires(fields: "size")
      shout: String @requires(fields: "name(upper: true)") partner: Thing
    }
    type Other @key(fields: "id org { id }") { id: ID! org: Org! @external rank: Float }
    type Org { id: ID! @shareable }
    type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }
    type Shared { b: Int }
    type Query { medias: [Media] shared: Shared @shareable prices: [Int] }
    type Mutation { other: Thing }`,
  resolvers: {
    Query: { medias: () => [{ id: 'b' }, { id: 'f' }], shared: () => ({ b: 2 }), prices: () => [1, 2] },
    Mutation: {
      other: () => {
        done.push('other');
        return thing('1');
      },
    },
    Thing: {
      price: ({ id }: { id: string }, args: { in: string }) => {
        if (id === '13') throw new Error('unlucky');
        return args.in === 'EUR' ? Number(id) : Number(id) * 2;
      },
      weight: ({ size }: { size: number }) => size + 1,
      shout: ({ name }: { name: string }) => `${name}!`,
      partner: () => thing('2'),
    },
    Other: { rank: ({ org }: { org: { id: string } }) => Number(org.id) },
    Media: { stars: () => 5 },
  },
};

let federation: Federation;
beforeEach(() => {
  done.length = 0;
  federation = federate({ alpha, beta });
});

describe('names', () => {
  test('an alias that equals a key does not read another entity', async () => {
    const { data, errors } = await federation.ask('{ thing { id: legacyId price __typename: __typename } }');
    expect({ data, errors }).toEqual({ data: { thing: { id: 'old 1', price: 1, __typename: 'Thing' } } });
  });

  test('the alias __proto__ is an ordinary name', async () => {
    const { data } = await federation.ask('{ __proto__: thing { __proto__: name price } }');
    expect(Object.keys(data ?? {})).toEqual(['__proto__']);
    expect(({} as { name?: unknown }).name).toBeUndefined();
    expect(JSON.stringify(data)).toBe('{"__proto__":{"__proto__":"one","price":1}}');
  });

  test('documents that differ only in aliases and variable names send the same requests', async () => {
    await federation.ask('query($a: String) { x: thing { y: price(in: $a) n: name } }', { a: 'USD' });
    const first = [...federation.asked];
    const { data } = await federation.ask('query($b: String) { thing { price(in: $b) name } }', { b: 'USD' });
    expect(federation.asked).toEqual(first);
    expect(data).toEqual({ thing: { price: 2, name: 'one' } });
  });

  test('a variable may have the name that representations use', async () => {
    const text = 'query($representations: String = "USD") { thing { price(in: $representations) } }';
    expect(await federation.ask(text)).toEqual({ data: { thing: { price: 2 } } });
  });

  test('two places share an entity and select different fields', async () => {
    const text = '{ a: thing { id n: name price } b: thing { twin { name } cost: price(in: "USD") weight } }';
    expect(await federation.ask(text)).toEqual({
      data: { a: { id: '1', n: 'one', price: 1 }, b: { twin: { name: 'two' }, cost: 2, weight: 11 } },
    });
  });

  test('one of several operations is executed', async () => {
    expect(await federation.ask('query A { thing { id } } query B { thing(id: "2") { id } }', {}, 'B')).toEqual({
      data: { thing: { id: '2' } },
    });
  });
});

describe('conditions', () => {
  test.each([
    [undefined, undefined, {}],
    [false, true, { price: 1 }],
    [true, true, {}],
    [false, false, {}],
  ])('@skip %s and @include %s on one field', async (s, i, rest) => {
    const text =
      'query($s: Boolean = true, $i: Boolean = true) { thing { id price @skip(if: $s) @include(if: $i) ... @skip(if: $s) { __typename } } }';
    const { data } = await federation.ask(text, { ...(s === undefined ? {} : { s, i }) });
    expect(data).toEqual({ thing: { id: '1', ...rest, ...(s === false ? { __typename: 'Thing' } : {}) } });
  });

  test('a selection without fields gives an empty object', async () => {
    expect(await federation.ask('{ thing { name @skip(if: true) } }')).toEqual({ data: { thing: {} } });
  });
});

describe('types', () => {
  test('fragments on interfaces and unions', async () => {
    const text = `{ nodes { id ...P ... on Other { r: rank } } any { __typename ... on Thing { v: price } ... on Other { v: rank } } }
      fragment P on Thing { price twin { ...Q } } fragment Q on Node { id }`;
    expect(await federation.ask(text)).toEqual({
      data: {
        nodes: [
          { id: '1', price: 1, twin: { id: '2' } },
          { id: '7', r: 9 },
        ],
        any: [
          { __typename: 'Other', v: 9 },
          { __typename: 'Thing', v: 2 },
        ],
      },
    });
  });

  test('an @interfaceObject, from both sides', async () => {
    expect(await federation.ask('{ media { __typename stars ... on Book { pages } } medias { id stars } }')).toEqual({
      data: {
        media: [
          { __typename: 'Book', stars: 5, pages: 3 },
          { __typename: 'Film', stars: 5 },
        ],
        medias: [
          { id: 'b', stars: 5 },
          { id: 'f', stars: 5 },
        ],
      },
    });
    expect((await federation.ask('{ medias { __typename ... on Book { pages stars } } }')).data).toEqual({
      medias: [{ __typename: 'Book', pages: 3, stars: 5 }, { __typename: 'Film' }],
    });
  });

  test('nested lists, custom scalars that hold objects, enums, required fields with arguments, shared roots', async () => {
    const text = '{ thing { grid { price } json color shout name weight } shared { b a } }';
    const { data, errors } = await federation.ask(text);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      thing: {
        grid: [
          [{ price: 1 }, { price: 2 }],
          [null, { price: 1 }],
        ],
        ...{ json: { a: [1, { b: null }] }, color: 'RED', shout: 'ONE!', name: 'one', weight: 11 },
      },
      shared: { b: 2, a: 1 },
    });
  });

  test('introspection together with data, in the order of the client', async () => {
    const { data } = await federation.ask('{ __typename t: __type(name: "Org") { name } prices }');
    expect(data).toEqual({ __typename: 'Query', t: { name: 'Org' }, prices: [1, 2] });
    expect(federation.asked).toHaveLength(1);
  });
});

describe('mutations', () => {
  test('run one after the other, each complete before the next, even if two are the same', async () => {
    const { data } = await federation.ask('mutation { a: first(n: 1) { price } other { name } b: first(n: 1) { id } }');
    expect(data).toEqual({ a: { price: 1 }, other: { name: 'one' }, b: { id: '1' } });
    expect(done).toEqual(['first 1', 'other', 'first 1']);
  });

  test('end at a null in a field that must not be null', async () => {
    const { data, errors } = await federation.ask('mutation { first(n: 1) { price } second third { price } }');
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ path: ['second'], extensions: { code: 'INTERNAL' } }]);
    expect(done).toEqual(['first 1', 'second']);
  });
});

describe('errors', () => {
  test("have the path of each place of an entity, with the client's names", async () => {
    const text = '{ a: thing(id: "13") { p: price } b: thing(id: "13") { grid { id } again: price } }';
    const { data, errors } = await federation.ask(text);
    expect(data).toMatchObject({ a: { p: null }, b: { again: null } });
    expect(errors?.map(({ path }) => path)).toEqual([
      ['a', 'p'],
      ['b', 'again'],
    ]);
  });

  test('a null moves up to the next nullable field', async () => {
    const { data, errors } = await federation.ask('{ thing { t: twin { s: sure name } price } }');
    expect(data).toEqual({ thing: { t: null, price: 1 } });
    expect(errors).toMatchObject([{ path: ['thing', 't', 's'] }]);
  });

  test('of a lost subgraph appear once for each null', async () => {
    const lost = federate({
      alpha,
      beta: { ...beta, answer: (request) => lostSubgraph('beta', request, false) },
    });
    const { data, errors } = await lost.ask(
      '{ thing { p: price twin { cost: price name } } any { ... on Other { rank } } b: prices shared { a b } }',
    );
    expect(data).toEqual({
      thing: { p: null, twin: { cost: null, name: 'two' } },
      ...{ any: [{ rank: null }, {}], b: null, shared: { a: 1, b: null } },
    });
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual([
      'any.0.rank',
      'b',
      'shared.b',
      'thing.p',
      'thing.twin.cost',
    ]);
    for (const { extensions } of errors ?? [])
      expect(extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta' });
  });

  test('of a required value reach the field that needs the value', async () => {
    const broken = federate({
      beta,
      alpha: {
        ...alpha,
        answer({ text }) {
          if (!text.includes('size')) return undefined;
          const [, name = 'name'] = /(\w+): name/.exec(text) ?? [];
          return {
            data: { thing: { __typename: 'Thing', id: '1', size: null, [name]: 'one' } },
            errors: [{ message: 'no size', path: ['thing', 'size'], extensions: { code: 'UNAVAILABLE' } }],
          };
        },
      },
    });
    const { data, errors } = await broken.ask('{ t: thing { w: weight name price } }');
    // One request covers both.
    expect(data).toEqual({ t: { w: null, name: 'one', price: null } });
    const error = { message: 'no size', extensions: { code: 'UNAVAILABLE' } };
    expect(errors).toEqual([
      { ...error, path: ['t', 'w'] },
      { ...error, path: ['t', 'price'] },
    ]);
  });

  test('variables of the wrong type are refused', async () => {
    expect(await federation.ask('query($n: Boolean!) { thing { name(upper: $n) } }', { n: 'x' })).toMatchObject({
      errors: [{ extensions: { code: 'INVALID_INPUT' } }],
    });
  });

  test('of many faulty variables the first ones are reported', async () => {
    const each = (one: (index: number) => string) => Array.from({ length: 50 }, (_, index) => one(index)).join(' ');
    const text = `query(${each((index) => `$v${index}: Boolean!`)}) { thing { ${each((index) => `n${index}: name(upper: $v${index})`)} } }`;
    const { errors } = await federation.ask(text, {});
    expect(errors?.slice(19)).toMatchObject([
      { message: expect.stringContaining('$v19'), extensions: { code: 'INVALID_INPUT' } },
    ]);
  });
});

test('a subscription is not planned', async () => {
  await expect(federation.executor.planSubscription('k', parse('{ prices }'), {})).rejects.toThrow(
    'not a subscription',
  );
});

// Operations for which the planner has no plan or a wrong one. They are planned field by field.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { FieldPlanner } from '../../../gateway/execution/field-planner.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { federate, head, type TestSubgraph, usePlanners } from './support/federation.ts';

usePlanners();

type Row = Readonly<Record<string, unknown>>;
type Given = { readonly id: string } & Row;
type Compute = Readonly<Record<string, (given: Given) => unknown>>;

/** An entity of a subgraph: the values that the subgraph has for each object, and the values that it computes from a representation. */
function entity(rows: Readonly<Record<string, Row>>, computed: Compute = {}) {
  return {
    ...computed,
    __resolveReference: (given: Given) => (rows[given.id] ? { ...rows[given.id], ...given } : null),
  };
}

/** JSON leaves out `undefined`, so that a missing requirement is visible. */
const sum =
  (...names: readonly string[]) =>
  (given: Given) =>
    names.map((name) => `${name}=${given[name] ?? 'lacking'}`).join();

describe('a value type under an interface', () => {
  const [a1, b1] = [
    { __typename: 'A', id: 'a1', s: { x: 1, t: { u: 'a1' }, many: [{ u: 'p' }, { u: 'q' }] } },
    { __typename: 'B', id: 'b1', s: null },
  ];
  const parts: Record<string, TestSubgraph> = {
    a: {
      sdl: `type Query { i: I list: [I!] any: [Any] box: Box }
        type Box { i: I }
        interface I { s: S }
        union Any = A | B
        type A implements I @key(fields: "id") { id: ID! s: S @shareable }
        type B implements I @key(fields: "id") { id: ID! s: S @shareable }
        type S { x: Int t: T @shareable many: [T] @shareable }
        type T { u: String }`,
      resolvers: {
        Query: { i: () => a1, list: () => [a1, b1, a1], any: () => [b1, null, a1], box: () => ({ i: a1 }) },
      },
    },
    b: {
      sdl: `interface I { s: S }
        type A implements I @key(fields: "id") { id: ID! s: S @shareable }
        type B implements I @key(fields: "id") { id: ID! s: S @shareable }
        type S { y: Int t: T @shareable many: [T] @shareable }
        type T { v: String }`,
      resolvers: {
        A: entity({ a1: { s: { y: 2, t: { v: 'a1' }, many: [{ v: 'r' }, { v: 's' }] } } }),
        B: entity({ b1: { s: null } }),
      },
    },
  };

  test.each([
    ['{ i { s { y } } }', { i: { s: { y: 2 } } }],
    ['{ i { s { x y __typename } } }', { i: { s: { x: 1, y: 2, __typename: 'S' } } }],
    ['{ list { s { y } } }', { list: [{ s: { y: 2 } }, { s: null }, { s: { y: 2 } }] }],
    ['{ box { i { s { y t { v } } } } }', { box: { i: { s: { y: 2, t: { v: 'a1' } } } } }],
    ['{ i { s { t { u v } } } }', { i: { s: { t: { u: 'a1', v: 'a1' } } } }],
    [
      '{ i { s { many { v u } other: many { v } } } }',
      {
        i: {
          s: {
            many: [
              { v: 'r', u: 'p' },
              { v: 's', u: 'q' },
            ],
            other: [{ v: 'r' }, { v: 's' }],
          },
        },
      },
    ],
    ['{ any { ... on I { s { y } } } }', { any: [{ s: null }, null, { s: { y: 2 } }] }],
    ['{ i { ... on A { s { y } } ... on B { id s { x } } } }', { i: { s: { y: 2 } } }],
  ])('%s', async (text, data) => {
    expect(await federate(parts).ask(text)).toEqual({ data });
  });
});

describe('an interface without objects', () => {
  const planner = new FieldPlanner(
    composeSupergraph(
      new Map([
        ['a', `${head}type Query { i: I j: J } interface I { name: String } interface J { name: String }`],
        [
          'b',
          `${head}interface I { name: String size: Int } interface J { size: Int }
          type A implements I { name: String size: Int }`,
        ],
      ]),
    ),
  );

  test.each([
    ['in one subgraph is null there', '{i{name size ...on A{size}}}', 'query{i{__typename}}'],
    ['anywhere is null, too', '{j{name}}', 'query{j{__typename}}'],
  ])('%s', (_what, text, operation) => {
    expect(planner.plan(text)).toMatchObject({ kind: 'Fetch', serviceName: 'a', operation });
  });

  test('does not read fields of a subgraph that does not return it', () => {
    expect(() => planner.plan('{j{size}}')).toThrow('no subgraph for j');
  });
});

test('an object with two names in a subgraph is entered by both', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query { orders: [Order] }
        type Order @key(fields: "code") { code: ID! ratio: Int }
        type Media @key(fields: "id") @interfaceObject { id: ID! extra: Int }`,
      resolvers: {
        Query: { orders: () => [{ code: 'c1', ratio: 2 }] },
        Order: entity({}),
        Media: { __resolveReference: ({ id }: Given) => ({ id, extra: Number(id) + 1 }) },
      },
    },
    b: {
      sdl: `type Query { media: Media }
        interface Media @key(fields: "id") { id: ID! }
        type Order implements Media @key(fields: "id") @key(fields: "code") { id: ID! code: ID! size: Int }`,
      resolvers: {
        Query: { media: () => null },
        Media: { __resolveType: () => 'Order' },
        Order: { __resolveReference: ({ code, id }: Given) => ({ id: id ?? '7', code: code ?? 'c1', size: 5 }) },
      },
    },
  });
  expect(await ask('{ orders { ratio extra size } }')).toEqual({ data: { orders: [{ ratio: 2, extra: 8, size: 5 }] } });
});

test('a value type of an interface that a subgraph has as an object', async () => {
  const types = (fields: string) =>
    `type A ${fields.includes('x') ? 'implements I ' : ''}@key(fields: "id") { id: ID! s: S @shareable } type S { ${fields} }`;
  const { ask } = federate({
    a: {
      sdl: `type Query { i: I } interface I @key(fields: "id") { id: ID! s: S } ${types('x: Int')}`,
      resolvers: {
        Query: { i: () => ({ __typename: 'A', id: 'a1', s: { x: 1 } }) },
        I: { __resolveReference: ({ id }: Given) => ({ __typename: 'A', id, s: { x: 1 } }) },
        A: entity({ a1: { s: { x: 1 } } }),
      },
    },
    b: { sdl: types('y: Int'), resolvers: { A: entity({ a1: { s: { y: 2 } } }) } },
    c: {
      sdl: `type Query { top: [I] } type I @key(fields: "id") @interfaceObject { id: ID! s: S @shareable } type S { z: Int }`,
      resolvers: {
        Query: { top: () => [{ id: 'a1', s: { z: 3 } }] },
        I: { __resolveReference: ({ id }: Given) => ({ id, s: { z: 3 } }) },
      },
    },
  });
  expect(await ask('{ i { s { y } } }')).toEqual({ data: { i: { s: { y: 2 } } } });
  expect(await ask('{ top { s { y } ... on A { s { z x } } } }')).toEqual({
    data: { top: [{ s: { y: 2, z: 3, x: 1 } }] },
  });
});

describe('a concrete type among interface objects', () => {
  const books = { b1: { title: 'Emma', pages: 7, next: { __typename: 'Film', id: 'f1' } } };
  const films = { f1: { title: 'Alien', minutes: 117, next: null } };
  const parts: Record<string, TestSubgraph> = {
    media: {
      sdl: `interface Media @key(fields: "id") { id: ID! title: String next: Media }
        type Book implements Media @key(fields: "id") { id: ID! title: String next: Media pages: Int }
        type Film implements Media @key(fields: "id") { id: ID! title: String next: Media minutes: Int }`,
      resolvers: {
        Media: {
          __resolveReference: ({ id }: Given) => ({ __typename: id.startsWith('b') ? 'Book' : 'Film', id }),
        },
        Book: {
          ...entity(books),
          title: ({ id }: Given) => books[id as 'b1'].title,
          pages: () => 7,
          next: () => books.b1.next,
        },
        Film: { ...entity(films), title: () => 'Alien', minutes: () => 117, next: () => null },
      },
    },
    stars: {
      sdl: `type Query { top: [Media] best: Media shelf: Shelf } type Shelf { grid: [[Media!]] }
        type Media @key(fields: "id") @interfaceObject
          { id: ID! stars: Int similar: Media title: String @external label: String @requires(fields: "title") }`,
      resolvers: {
        Query: {
          top: () => [{ id: 'b1', stars: 5, similar: { id: 'f1', stars: 4 } }, null, { id: 'f1', stars: 4 }],
          best: () => ({ id: 'b1', stars: 5, similar: { id: 'f1', stars: 4 } }),
          shelf: () => ({ grid: [[{ id: 'f1' }], null, [{ id: 'b1' }]] }),
        },
        Media: {
          __resolveReference: ({ id, title }: Given) => ({
            id,
            title,
            stars: id === 'b1' ? 5 : 4,
            similar: { id: 'f1' },
          }),
          label: sum('title'),
        },
      },
    },
    prices: {
      sdl: 'type Book @key(fields: "id") { id: ID! price: Int } type Film @key(fields: "id") { id: ID! price: Int }',
      resolvers: { Book: entity({ b1: { price: 9 } }), Film: entity({ f1: { price: 12 } }) },
    },
  };

  test.each([
    ['{ top { ... on Book { pages } } }', { top: [{ pages: 7 }, null, {}] }],
    [
      '{ top { stars ... on Film { minutes title } } }',
      { top: [{ stars: 5 }, null, { stars: 4, minutes: 117, title: 'Alien' }] },
    ],
    [
      '{ top { __typename title } }',
      { top: [{ __typename: 'Book', title: 'Emma' }, null, { __typename: 'Film', title: 'Alien' }] },
    ],
    [
      '{ top { ... on Book { price } ... on Film { price stars } } }',
      { top: [{ price: 9 }, null, { price: 12, stars: 4 }] },
    ],
    [
      '{ shelf { grid { ... on Book { pages } ... on Media { title } } } }',
      { shelf: { grid: [[{ title: 'Alien' }], null, [{ pages: 7, title: 'Emma' }]] } },
    ],
    ['{ best { similar { ... on Film { minutes } stars } } }', { best: { similar: { minutes: 117, stars: 4 } } }],
    [
      '{ best { ... on Book { next { stars ... on Film { minutes } } } } }',
      { best: { next: { stars: 4, minutes: 117 } } },
    ],
    ['{ best { label ... on Book { label pages } } }', { best: { label: 'title=Emma', pages: 7 } }],
    ['{ top { ... on Film { label } } }', { top: [{}, null, { label: 'title=Alien' }] }],
  ])('%s', async (text, data) => {
    expect(await federate(parts).ask(text)).toEqual({ data });
  });
});

describe('diamonds of requirements', () => {
  const root = {
    sdl: 'type Query { t: T list: [T] } type T @key(fields: "id") { id: ID! }',
    resolvers: { Query: { t: () => ({ id: '1' }), list: () => [{ id: '1' }, null, { id: '2' }] } },
  };
  const head = 'type T @key(fields: "id") { id: ID!';
  const known = { 1: {}, 2: {} };
  const t = (sdl: string, computed: Compute = {}, rows: Readonly<Record<string, Row>> = known): TestSubgraph => ({
    sdl: `${head} ${sdl} }`,
    resolvers: { T: entity(rows, computed) },
  });
  const k = { 1: { k: 'one' }, 2: { k: null } };
  const whole = (of: string) => `g=k=${of},h=k=${of}`;
  const data = (field: string) => ({
    t: { [field]: whole('one') },
    list: [{ [field]: whole('one') }, null, { [field]: whole('lacking') }],
  });
  const needed = 'g: String @external h: String @external f: String @requires(fields: "g h")';
  const [g, h] = ['g: String @requires(fields: "k")', 'h: String @requires(fields: "k")'];

  const shapes: Record<string, Record<string, TestSubgraph>> = {
    'of four subgraphs': {
      root,
      b: t(needed, { f: sum('g', 'h') }),
      c: t(`k: String @external ${g}`, { g: sum('k') }),
      d: t(`k: String @external ${h}`, { h: sum('k') }),
      e: t('k: String', {}, k),
    },
    'back to the first subgraph': {
      root,
      b: t(`k: String ${needed}`, { f: sum('g', 'h') }, k),
      c: t(`k: String @external ${g}`, { g: sum('k') }),
      d: t(`k: String @external ${h}`, { h: sum('k') }),
    },
    'of one subgraph on each side': {
      root,
      b: t(`k: String ${needed}`, { f: sum('g', 'h') }, k),
      c: t(`k: String @external ${g} ${h}`, { g: sum('k'), h: sum('k') }),
    },
  };

  test.each(Object.keys(shapes))('%s', async (name) => {
    const { ask } = federate(shapes[name] ?? {});
    expect(await ask('{ t { f } list { f } }')).toEqual({ data: data('f') });
    expect(await ask('{ t { f g k id } }')).toEqual({
      data: { t: { f: whole('one'), g: 'k=one', k: 'one', id: '1' } },
    });
  });

  test('with different keys, two levels deep', async () => {
    const { ask } = federate({
      root,
      codes: {
        sdl: 'type T @key(fields: "id") @key(fields: "code") { id: ID! code: ID! }',
        resolvers: { T: entity({ 1: { code: 'c1' } }) },
      },
      b: t('g: String @external h: String @external p: String @external f: String @requires(fields: "g h p")', {
        f: sum('g', 'h', 'p'),
      }),
      c: {
        sdl: `type T @key(fields: "code") { code: ID! k: String @external ${g} }`,
        resolvers: { T: { __resolveReference: (given: Row) => given, g: sum('k') } },
      },
      d: t(`k: String @external ${h} p: String @requires(fields: "k")`, { h: sum('k'), p: sum('k') }),
      e: t('n: String @external m: String @external k: String @requires(fields: "m n")', { k: sum('m', 'n') }),
      m: t('m: String', {}, { 1: { m: 'M' } }),
      n: t('n: String', {}, { 1: { n: 'N' } }),
    });
    expect(await ask('{ t { f } }')).toEqual({ data: { t: { f: 'g=k=m=M,n=N,h=k=m=M,n=N,p=k=m=M,n=N' } } });
  });

  test('a missing value affects only the fields that need it', async () => {
    const { ask } = federate({
      ...shapes['of four subgraphs'],
      d: { ...t(`k: String @external ${h} other: Int`), answer: () => ({ data: null, errors: [{ message: 'lost' }] }) },
    });
    expect(await ask('{ t { f g h } }')).toMatchObject({
      data: { t: { f: null, g: 'k=one', h: null } },
      errors: [{ path: ['t', 'f'] }, { path: ['t', 'h'] }],
    });
  });
});

describe('a requirement from two subgraphs inside a field with a requirement of its own', () => {
  const outs = { o1: {}, o2: {} };
  const parts = (out: string, requires: string): Record<string, TestSubgraph> => ({
    root: {
      sdl: 'type Query { t: T } type T @key(fields: "id") { id: ID! x: String }',
      resolvers: { Query: { t: () => ({ id: '1', x: 'X' }) } },
    },
    b: {
      sdl: `type T @key(fields: "id") { id: ID! x: String @external out: ${out} @requires(fields: "x") }
        type Out @key(fields: "id") { id: ID! m: String @external n: String @external z: String @requires(fields: "m n") }`,
      resolvers: {
        T: {
          __resolveReference: (given: Row) => given,
          out: ({ x }: Given) => (out === 'Out' ? { id: x === 'X' ? 'o1' : 'none' } : [[{ id: 'o1' }, { id: 'o2' }]]),
        },
        Out: entity(outs, { z: sum('m', 'n') }),
      },
    },
    m: {
      sdl: `type Out @key(fields: "id") { id: ID! p: String @external m: String @requires(fields: "p") }`,
      resolvers: { Out: entity(outs, { m: sum('p') }) },
    },
    n: {
      sdl: 'type Out @key(fields: "id") { id: ID! n: String p: String }',
      resolvers: { Out: entity({ o1: { n: 'N1', p: 'P1' }, o2: { n: 'N2', p: 'P2' } }) },
    },
    w: {
      sdl: `type T @key(fields: "id") { id: ID! out: ${out} @external w: String @requires(fields: "${requires}") }
        type Out @key(fields: "id") { id: ID! z: String @external }`,
      resolvers: { T: { __resolveReference: (given: Row) => given, w: (given: Row) => JSON.stringify(given.out) } },
    },
  });
  const [z1, z2] = [{ z: 'm=p=P1,n=N1' }, { z: 'm=p=P2,n=N2' }];

  test('of one object', async () => {
    const { ask } = federate(parts('Out', 'out { z }'));
    expect(await ask('{ t { out { z } } }')).toEqual({ data: { t: { out: z1 } } });
    expect(await ask('{ t { w out { id n } } }')).toEqual({
      data: { t: { w: JSON.stringify(z1), out: { id: 'o1', n: 'N1' } } },
    });
  });

  test('of a list of lists', async () => {
    const { ask } = federate(parts('[[Out]]', 'out { z }'));
    expect(await ask('{ t { out { z } w } }')).toEqual({
      data: { t: { out: [[z1, z2]], w: JSON.stringify([[z1, z2]]) } },
    });
  });
});

test('a requirement from two subgraphs at each level of a required object', async () => {
  const t = (fields: string) => `type T @key(fields: "id") { id: ID! ${fields} }`;
  const { ask } = federate({
    root: { sdl: `type Query { t: T } ${t('')}`, resolvers: { Query: { t: () => ({ id: '1' }) } } },
    b: {
      sdl: `${t('x: Int @external y: Int @external out: O @requires(fields: "x y")')} type O { t: T w: Int }`,
      resolvers: { T: entity({ 1: {} }, { out: ({ x, y }) => ({ t: { id: '1' }, w: Number(x) + Number(y) }) }) },
    },
    m: {
      sdl: t('x: Int q: Int @external w: String @requires(fields: "q")'),
      resolvers: { T: entity({ 1: { x: 4 } }, { w: sum('q') }) },
    },
    n: { sdl: t('y: Int q: Int'), resolvers: { T: entity({ 1: { y: 5, q: 6 } }) } },
    p: {
      sdl: t('w: String @external y: Int @external z: String @requires(fields: "w y")'),
      resolvers: { T: entity({ 1: {} }, { z: sum('w', 'y') }) },
    },
  });
  const z = 'w=q=6,y=5';
  expect(await ask('{ t { z out { w t { z out { w } } } } }')).toEqual({
    data: { t: { z, out: { w: 9, t: { z, out: { w: 9 } } } } },
  });
});

describe('objects of two types that have a field of the same name with different types', () => {
  const given = [
    { __typename: 'A', id: '1' },
    { __typename: 'B', id: '2' },
  ];
  const entityOf = (type: string, fields: string) => `type ${type} @key(fields: "id") { id: ID! ${fields} }`;
  const needing = 'size: Int @external label: String @requires(fields: "size")';
  const { ask } = federate({
    root: {
      sdl: `type Query { any: [Any] } union Any = A | B ${entityOf('A', '')} ${entityOf('B', '')}`,
      resolvers: { Query: { any: () => given } },
    },
    sizes: {
      sdl: `${entityOf('A', 'size: Int!')} ${entityOf('B', 'size: Int')}`,
      resolvers: { A: entity({ 1: { size: 1 } }), B: entity({ 2: { size: 2 } }) },
    },
    labels: {
      sdl: `${entityOf('A', needing.replace('Int', 'Int!'))} ${entityOf('B', needing)}`,
      resolvers: { A: entity({ 1: {} }, { label: sum('size') }), B: entity({ 2: {} }, { label: sum('size') }) },
    },
  });

  test('the fields are requested under different names', async () => {
    expect(await ask('{ any { ... on A { label } ... on B { label } } }')).toEqual({
      data: { any: [{ label: 'size=1' }, { label: 'size=2' }] },
    });
  });
});

test('an interface with one object that has an external field', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query { named: [Named] } interface Named { name: String }
        type Place implements Named @key(fields: "id") { id: ID! name: String @shareable }
        type User implements Named @key(fields: "id")
          { id: ID! name: String @external upper: String @requires(fields: "name") }`,
      resolvers: {
        Query: {
          named: () => [
            { __typename: 'User', id: '1' },
            { __typename: 'Place', id: '2', name: 'Rome' },
          ],
        },
      },
    },
    b: {
      sdl: 'type User @key(fields: "id") { id: ID! name: String }',
      resolvers: { User: entity({ 1: { name: 'Ann' } }) },
    },
  });
  expect(await ask('{ named { name } }')).toEqual({ data: { named: [{ name: 'Ann' }, { name: 'Rome' }] } });
});

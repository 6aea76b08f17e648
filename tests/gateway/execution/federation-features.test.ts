// The features that Federation 2 offers to subgraphs, through planner and executor.
// needs: processes
import { expect, test } from '@jest/globals';
import { federate, usePlanners } from './support/federation.ts';

usePlanners();

test('@requires nested and circular, each with values that the other subgraph computed', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Item @key(fields: "id") {
          id: ID! base: Base half: Int @external total: Int @requires(fields: "half")
        }
        type Base @shareable { n: Int! }
        type Query { items: [Item] }`,
      resolvers: {
        Query: {
          items: () => [
            { id: '1', base: { n: 8 } },
            { id: '2', base: null },
          ],
        },
        Item: {
          __resolveReference: (item: object) => item,
          total: ({ half }: { half: number | null }) => (half === null ? -1 : half + 100),
        },
      },
    },
    b: {
      sdl: `type Item @key(fields: "id") {
          id: ID! base: Base @external half: Int @requires(fields: "base { n }")
          total: Int @external text: String @requires(fields: "total")
        }
        type Base @shareable { n: Int! }`,
      resolvers: {
        Item: {
          half: ({ base }: { base: { n: number } | null }) => (base === null ? null : base.n / 2),
          text: ({ total }: { total: number }) => `is ${total}`,
        },
      },
    },
  });
  expect(await ask('{ items { text } }')).toEqual({ data: { items: [{ text: 'is 104' }, { text: 'is -1' }] } });
});

test('a requirement with arguments does not replace the field that the client requests', async () => {
  const price = ({ currency }: { currency: string }) => (currency === 'USD' ? 7 : 8);
  const thing = { __resolveReference: (item: object) => item };
  const shared = 'type Thing @key(fields: "id") { id: ID! price(currency: String = "EUR"): Int @shareable';
  const { ask } = federate({
    a: {
      sdl: 'type Thing @key(fields: "id") { id: ID! } type Query { thing: Thing }',
      resolvers: { Query: { thing: () => ({ id: '1' }) } },
    },
    b: { sdl: `${shared} }`, resolvers: { Thing: { ...thing, price: (_: unknown, args: never) => price(args) } } },
    c: {
      sdl: `${shared} note: String }`,
      resolvers: { Thing: { ...thing, note: () => 'c', price: (_: unknown, args: never) => price(args) } },
    },
    d: {
      sdl: `type Thing @key(fields: "id") {
          id: ID! price(currency: String = "EUR"): Int @external
          dollars: String @requires(fields: "price(currency: \\"USD\\")")
        }`,
      resolvers: { Thing: { ...thing, dollars: ({ price: given }: { price: number }) => `$${given}` } },
    },
  });
  for (const text of [
    '{ thing { note price dollars } }',
    '{ thing { dollars price note } }',
    '{ thing { dollars price } }',
  ])
    expect(await ask(text)).toMatchObject({ data: { thing: { price: 8, dollars: '$7' } } });
  expect(await ask('{ thing { note price dollars } }')).toEqual({
    data: { thing: { note: 'c', price: 8, dollars: '$7' } },
  });
});

test('two requirements with different arguments each get their own value', async () => {
  const price = (_: unknown, { currency }: { currency: string }) => (currency === 'USD' ? 7 : 8);
  const requires = (currency: string) => `@requires(fields: "price(currency: \\"${currency}\\")")`;
  const __resolveReference = (item: object) => item;
  const { ask } = federate({
    a: {
      sdl: 'type Thing @key(fields: "id") { id: ID! } type Query { thing: Thing }',
      resolvers: { Query: { thing: () => ({ id: '1' }) } },
    },
    b: {
      sdl: 'type Thing @key(fields: "id") { id: ID! price(currency: String = "EUR"): Int }',
      resolvers: { Thing: { __resolveReference, price } },
    },
    c: {
      sdl: `type Thing @key(fields: "id") {
          id: ID! price(currency: String = "EUR"): Int @external
          dollars: String ${requires('USD')} euros: String ${requires('EUR')}
        }`,
      resolvers: {
        Thing: {
          __resolveReference,
          dollars: ({ price: given }: { price: number }) => `$${given}`,
          euros: ({ price: given }: { price: number }) => `€${given}`,
        },
      },
    },
  });
  expect(await ask('{ thing { dollars } }')).toEqual({ data: { thing: { dollars: '$7' } } });
  expect(await ask('{ thing { euros } }')).toEqual({ data: { thing: { euros: '€8' } } });
  expect(await ask('{ thing { dollars euros price } }')).toEqual({
    data: { thing: { dollars: '$7', euros: '€8', price: 8 } },
  });
});

test('a requirement with a failed list item is not met', async () => {
  const __resolveReference = (item: object) => item;
  const { ask } = federate({
    a: {
      sdl: `type Thing @key(fields: "id") { id: ID! parts: [Part] grid: [[Part!]] } type Part @shareable { n: Int! }
        type Query { thing: Thing }`,
      resolvers: {
        Query: { thing: () => ({ id: '1', parts: [{ n: 1 }, {}], grid: [[{ n: 1 }], [{}]] }) },
        Part: {
          n(part: { n?: number }) {
            if (part.n === undefined) throw new Error('it can not be counted');
            return part.n;
          },
        },
      },
    },
    b: {
      sdl: `type Thing @key(fields: "id") {
          id: ID! parts: [Part] @external grid: [[Part!]] @external
          sum: String @requires(fields: "parts { n }") sums: String @requires(fields: "grid { n }")
        }
        type Part @shareable { n: Int! }`,
      resolvers: {
        Thing: {
          __resolveReference,
          sum: ({ parts }: { parts: unknown }) => JSON.stringify(parts),
          sums: ({ grid }: { grid: unknown }) => JSON.stringify(grid),
        },
      },
    },
  });
  for (const field of ['sum', 'sums']) {
    const { data, errors } = await ask(`{ thing { ${field} } }`);
    expect(data).toEqual({ thing: { [field]: null } });
    expect(errors).toMatchObject([{ path: ['thing', field] }]);
  }
});

test('@provides on a union, @override, @inaccessible, and keys that only some subgraphs resolve', async () => {
  const federation = federate({
    a: {
      sdl: `type Query { hits: [Hit] @provides(fields: "... on Book { title }") }
        union Hit = Book | Tape
        type Book @key(fields: "isbn", resolvable: false) { isbn: ID! title: String @external }
        type Tape { length: Int secret: Int @inaccessible }`,
      resolvers: {
        Query: {
          hits: () => [
            { __typename: 'Book', isbn: 'x', title: 'here' },
            { __typename: 'Tape', length: 3 },
          ],
        },
      },
    },
    b: {
      sdl: `type Book @key(fields: "isbn") @key(fields: "shelf { row } place") {
          isbn: ID! title: String @shareable price: Int shelf: Shelf! place: Int
        }
        type Shelf { row: Int! }`,
      resolvers: {
        Book: {
          __resolveReference: ({ isbn }: { isbn: string }) => ({
            isbn,
            title: 'there',
            price: 1,
            shelf: { row: 2 },
            place: null,
          }),
        },
      },
    },
    c: {
      sdl: `type Book @key(fields: "shelf { row } place") {
          shelf: Shelf! @external place: Int @external stock: Int price: Int @override(from: "b")
        }
        type Shelf { row: Int! @external }`,
      resolvers: { Book: { stock: ({ shelf }: { shelf: { row: number } }) => shelf.row, price: () => 5 } },
    },
  });
  expect(await federation.ask('{ hits { ... on Book { title } ... on Tape { length } } }')).toEqual({
    data: { hits: [{ title: 'here' }, { length: 3 }] },
  });
  expect(federation.asked).toHaveLength(1);
  expect(await federation.ask('{ hits { ... on Book { isbn price stock } } }')).toEqual({
    data: { hits: [{ isbn: 'x', price: 5, stock: 2 }, {}] },
  });
  await expect(federation.ask('{ hits { ... on Tape { secret } } }')).rejects.toThrow('Cannot query field');
});

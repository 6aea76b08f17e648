// Operations for which the planner has no plan, in the selection of a field whose @provides names one object type of an interface or union.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { federate, usePlanners } from './support/federation.ts';

usePlanners();

const titles: Readonly<Record<string, string>> = { b1: 'A book', d1: 'A disc' };

/** Subgraph `a` does not treat discs as media, and knows neither titles nor tapes. Subgraph `b` knows all of them. */
function shop() {
  return federate({
    a: {
      sdl: `type Query {
          first: Media @provides(fields: "... on Book { title }") media: [Media] @provides(fields: "... on Book { title }")
          hits: [Hit] @provides(fields: "... on Book { title }") shelf: Shelf
        }
        type Mutation { sell: Media @provides(fields: "... on Book { title }") add: Int }
        type Shelf { media: [Media] @provides(fields: "... on Book { title }") grid: [[Hit]] }
        interface Media { id: ID! }
        union Hit = Book | Disc
        type Book implements Media @key(fields: "id") { id: ID! pages: Int title: String @external }
        type Disc @key(fields: "id") { id: ID! }`,
      resolvers: {
        Query: {
          first: () => ({ __typename: 'Book', id: 'b1', pages: 7, title: 'A book' }),
          media: () => [{ __typename: 'Book', id: 'b1', pages: 7, title: 'A book' }, null],
          hits: () => [{ __typename: 'Disc', id: 'd1' }],
          shelf: () => ({
            media: [{ __typename: 'Book', id: 'b1', pages: 7, title: 'A book' }],
            grid: [
              [
                { __typename: 'Book', id: 'b1', pages: 7, title: 'A book' },
                { __typename: 'Disc', id: 'd1' },
              ],
              null,
            ],
          }),
        },
        Mutation: { sell: () => ({ __typename: 'Book', id: 'b1', pages: 7, title: 'A book' }), add: () => 1 },
      },
    },
    b: {
      sdl: `type Query { all: [Hit] }
        interface Media { title: String }
        union Hit = Book | Tape
        type Book implements Media @key(fields: "id") { id: ID! title: String @shareable price(in: String): Int }
        type Disc implements Media @key(fields: "id") { id: ID! title: String }
        type Tape @key(fields: "id") { id: ID! length: Int }`,
      resolvers: {
        Query: { all: () => [{ __typename: 'Tape', id: 't1', length: 90 }] },
        Book: {
          __resolveReference: ({ id }: { id: string }) => ({ id, title: titles[id] }),
          price: (_: object, { in: currency }: { in: string | null }) => (currency === 'EUR' ? 5 : 6),
        },
        Disc: { __resolveReference: ({ id }: { id: string }) => ({ id, title: titles[id] }) },
      },
    },
  });
}

describe('below a field with an @provides that has type conditions', () => {
  test('for a field that the interface lacks in the subgraph', async () => {
    const { ask } = shop();
    expect(await ask('{ first { title } }')).toEqual({ data: { first: { title: 'A book' } } });
    expect(await ask('{ media { name: title id ... on Book { pages } kind: __typename } }')).toEqual({
      data: { media: [{ name: 'A book', id: 'b1', pages: 7, kind: 'Book' }, null] },
    });
  });

  test('for conditions that no object there can meet', async () => {
    const { ask } = shop();
    expect(await ask('{ hits { ... on Tape { length } ... on Disc { title } } }')).toEqual({
      data: { hits: [{ title: 'A disc' }] },
    });
    expect(await ask('{ hits { ... on Tape { length } } }')).toEqual({ data: { hits: [{}] } });
    expect(await ask('{ all { ... on Tape { length } ... on Disc { title } } }')).toEqual({
      data: { all: [{ length: 90 }] },
    });
  });

  test('inside other objects, in fragments, with arguments, variables and aliases', async () => {
    const { ask } = shop();
    const text = `query ($in: String) {
      shelf {
        media { ...Titled }
        grid { ... on Media { title } ... on Book { euros: price(in: "EUR") other: price(in: $in) } ... on Tape { length } }
      }
      hits { ...Titled }
    }
    fragment Titled on Media { name: title title }`;
    expect(await ask(text, { in: 'USD' })).toEqual({
      data: {
        shelf: {
          media: [{ name: 'A book', title: 'A book' }],
          grid: [[{ title: 'A book', euros: 5, other: 6 }, { title: 'A disc' }], null],
        },
        hits: [{ name: 'A disc', title: 'A disc' }],
      },
    });
  });

  test('of each field of a mutation, in order', async () => {
    const { ask } = shop();
    expect(await ask('mutation { add sell { title } again: add }')).toEqual({
      data: { add: 1, sell: { title: 'A book' }, again: 1 },
    });
  });

  test('not if no type can match', async () => {
    const { ask, asked } = federate({
      a: {
        sdl: `type Query { node: Node } interface Node @key(fields: "id") { id: ID! }`,
        resolvers: { Query: { node: () => ({ __typename: 'Item', id: 'n1' }) } },
      },
      b: {
        sdl: `type Query { own: Node } type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID! size: Int }`,
        resolvers: { Query: { own: () => ({ id: 'n1', size: 3 }) } },
      },
    });
    expect(await ask('{ own { size } }')).toEqual({ data: { own: { size: 3 } } });
    const answer = await ask('{ node { size } }');
    expect(asked).toEqual([]);
    expect(answer).toEqual({
      errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'NOT_PLANNED' }) })],
    });
  });
});

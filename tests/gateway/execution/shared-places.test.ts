// Several places of one entity share its content, which is searched, requested and reported once.
// needs: processes
import { expect, test } from '@jest/globals';
import { PlacesByEntity } from '../../../gateway/execution/places-by-entity.ts';
import { CodedError } from '../../../platform/errors/errors.ts';
import { federate, usePlanners } from './support/federation.ts';

usePlanners();

test('an error inside a shared entity is reported once at each of its places', async () => {
  const federation = federate({
    shelves: {
      sdl: 'type Thing @key(fields: "id") { id: ID! } type Query { shelves: [Thing] }',
      resolvers: { Query: { shelves: () => [{ id: '1' }, { id: '2' }, { id: '1' }] } },
    },
    parts: {
      sdl: 'type Thing @key(fields: "id") { id: ID! parts: [Part] } type Part @key(fields: "id") { id: ID! }',
      resolvers: {
        Thing: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          parts: ({ id }: { id: string }) => [{ id: `${id}a` }, { id: `${id}b` }],
        },
      },
    },
    prices: {
      sdl: 'type Part @key(fields: "id") { id: ID! price: Int }',
      resolvers: {
        Part: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          price: ({ id }: { id: string }) => {
            if (id === '1b') throw new CodedError('FORBIDDEN', 'no price');
            return 7;
          },
        },
      },
    },
  });
  const { data, errors } = await federation.ask('{ shelves { parts { price } } }');
  const [one, two] = [{ parts: [{ price: 7 }, { price: null }] }, { parts: [{ price: 7 }, { price: 7 }] }];
  expect(data).toEqual({ shelves: [one, two, one] });
  expect(errors?.map(({ path }) => path?.join('.'))).toEqual(['shelves.0.parts.1.price', 'shelves.2.parts.1.price']);
  const [, , asked] = federation.sent;
  const [representations] = Object.values(asked?.variables ?? {}) as [readonly { readonly id: string }[]];
  expect(representations.map(({ id }) => id)).toEqual(['1a', '1b', '2a', '2b']);
});

test('representations are shared only if they are equal', () => {
  const representations: Record<string, unknown>[] = [
    { __typename: 'A', id: '1' },
    { __typename: 'A', id: 1 },
    { __typename: 'A', id: '1', x: '2' },
    { __typename: 'A', id: '{"__typename":"A","id":"1"}' },
    { __typename: 'A', id: '' },
    { __typename: 'A', id: null },
    { __typename: 'A', id: true },
    { __typename: 'A', id: ['1'] },
    { __typename: 'A', id: { id: '1' } },
    { __typename: 'A', x: '1' },
    { __typename: 'A' },
    { __typename: 'B', id: '1' },
    { __typename: null, id: '1' },
  ];
  const known = new PlacesByEntity();
  for (const each of representations) known.add({ ...each }, { first: true });
  for (const each of representations) known.add({ ...each }, { first: false });
  expect(known.representations).toEqual(representations);
  expect(known.places).toEqual(representations.map(() => [{ first: true }, { first: false }]));
});

import { describe, expect, test } from '@jest/globals';
import { graphql } from 'graphql';
import type { Commits } from '../../../platform/database/commits.ts';
import { createSubgraph } from '../../../platform/graph/create-subgraph.ts';
import { joinSdl } from '../../../platform/graph/sdl.ts';
import { CursorSealer } from '../../../platform/secrets/cursor-sealer.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { keyFile } from '../../support/product/test-context.ts';

const commits = { replication: async () => ({ state: 'CONFIRMED', reason: null }) } as unknown as Commits;
const sdl =
  joinSdl(
    new Map([
      ['system', 'type Project implements Node @key(fields: "id") { id: ID! } type Query { project: Project }'],
      [
        'ipam',
        `type Prefix implements Node @key(fields: "id") { id: ID! project: Project createdAt: DateTime! }
        input PrefixCreateInput { port: Port }
        type PrefixPayload { prefix: Prefix commit: Commit }
        type Query { prefix(id: ID!): Prefix }
        type Mutation {
          prefixCreate(input: PrefixCreateInput!): PrefixPayload @semanticNonNull
          prefixDelete(id: ID!): PrefixPayload @semanticNonNull
        }
        type Subscription { prefixChanges(after: String): Prefix }`,
      ],
    ]),
  ).get('ipam') ?? '';

const prefix = { id: 'p', createdAt: new Date(0) };
const reads = { Query: { prefix: () => prefix }, Prefix: { __resolveReference: () => prefix } };
const writes = {
  Mutation: {
    prefixCreate: (_: unknown, { input }: { input: { port: unknown } }) => ({
      prefix: input.port === 70_000 ? null : prefix,
      commit: { token: 't' },
    }),
    prefixDelete: () => ({}),
  },
};
const streams = { Subscription: { prefixChanges: { subscribe: () => undefined } } };
const parts = { name: 'ipam', sdl, commits, cursors: new CursorSealer(new Keyring(keyFile)) };

describe('a subgraph that is made of its features', () => {
  test('has the shared scalars and commits', async () => {
    const { name, schema } = createSubgraph({ ...parts, resolvers: [reads, writes, streams] });
    const source = `mutation { prefixCreate(input: { port: 70000 }) { prefix { id } commit { replication { state } } } }`;
    expect(name).toBe('ipam');
    // The mutation reports an invalid port in its userErrors.
    expect(await graphql({ schema, source })).toMatchObject({
      data: { prefixCreate: { prefix: null, commit: { replication: { state: 'CONFIRMED' } } } },
    });
    expect(await graphql({ schema, source: '{ prefix(id: "p") { createdAt } }' })).toMatchObject({
      data: { prefix: { createdAt: '1970-01-01T00:00:00.000Z' } },
    });
  });

  test.each([
    ['at once', () => null],
    ['later', async () => undefined],
  ])('a payload that is null without an error becomes an error: %s', async (_when, prefixDelete) => {
    const { schema } = createSubgraph({
      ...parts,
      resolvers: [reads, { Mutation: { ...writes.Mutation, prefixDelete } }, streams],
    });
    const source = 'mutation { prefixDelete(id: "p") { prefix { id } } prefixCreate(input: {}) { prefix { id } } }';
    const { data, errors } = await graphql({ schema, source });
    expect(data).toEqual({ prefixDelete: null, prefixCreate: { prefix: { id: 'p' } } });
    expect(errors?.map(({ message }) => message)).toEqual(['Mutation.prefixDelete returned null without an error']);
  });

  test('names every root field and entity without a resolver', () => {
    expect(() => createSubgraph({ ...parts, resolvers: [] })).toThrow(
      'ipam: no resolver for Prefix.__resolveReference, Query.prefix, Mutation.prefixCreate, Mutation.prefixDelete, Subscription.prefixChanges',
    );
    expect(() =>
      createSubgraph({ ...parts, resolvers: [reads, streams, { Mutation: { prefixCreate() {} } }] }),
    ).toThrow(/^ipam: no resolver for Mutation\.prefixDelete$/);
  });

  test('does not start if two features resolve the same field', () => {
    expect(() => createSubgraph({ ...parts, resolvers: [reads, writes, streams, { Query: { prefix() {} } }] })).toThrow(
      'two features resolve Query.prefix',
    );
  });
});

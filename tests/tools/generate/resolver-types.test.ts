import { expect, test } from '@jest/globals';
import { eachSubgraph, withResolverTypes } from '../../../tools/generate/resolver-types.ts';

const graph = new Map([
  ['ipam', 'type Prefix { id: ID! }'],
  ['system', 'type Project { id: ID! }'],
]);
const commit = '../../platform/database/commits.ts#CommitToken';
const outputs = {
  [eachSubgraph]: { plugins: ['typescript'], config: { federation: true, mappers: { Commit: commit } } },
  'generated/cli/': { plugins: [] },
};

test('each subgraph in schema/ gets resolver types, with its own mappers and the shared ones', () => {
  const mappersOf = (name: string) => (name === 'ipam' ? { Prefix: 'subgraphs/ipam/prefix.ts#PrefixRow' } : {});
  expect(withResolverTypes(outputs, graph, mappersOf)).toEqual({
    'generated/graph/ipam.ts': {
      plugins: ['typescript'],
      schema: graph.get('ipam'),
      config: {
        federation: true,
        mappers: { Commit: commit, Prefix: '../../subgraphs/ipam/prefix.ts#PrefixRow' },
      },
    },
    'generated/graph/system.ts': {
      plugins: ['typescript'],
      schema: graph.get('system'),
      config: { federation: true, mappers: { Commit: commit } },
    },
    'generated/cli/': { plugins: [] },
  });
});

test('each connection is passed on with its count', () => {
  const sdl = 'type Prefix { id: ID! }\n\ntype PrefixConnection {\n  totalCount: Int\n}';
  const made = withResolverTypes(outputs, new Map([['ipam', sdl]]), () => ({}));
  expect(made).toMatchObject({
    'generated/graph/ipam.ts': {
      config: { mappers: { PrefixConnection: '../../platform/pages/connection.ts#Counted<{T}>' } },
    },
  });
});

// The gateway can serve the generated supergraph.
import { expect, test } from '@jest/globals';
import { checkResumable } from '../../gateway/access/normal-subscription.ts';
import { Supergraph } from '../../gateway/supergraph/supergraph.ts';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

test('every subscription can be resumed, and each mutation has a known owner', () => {
  const supergraph = new Supergraph(readSupergraph());
  checkResumable(supergraph);
  expect([...supergraph.subgraphNames].sort()).toEqual(subgraphRows.map(({ name }) => name).sort());
  expect(supergraph.ownerOf('Mutation.relayCall')).toBe('relay');
  expect(supergraph.ownerOf('Mutation.login')).toBe('system');
  for (const field of Object.keys(supergraph.schema.getMutationType()?.getFields() ?? {}))
    expect([field, supergraph.ownerOf(`Mutation.${field}`)]).not.toContain(undefined);
});

test('incompatible subgraphs are refused, and all faults are listed', () => {
  const broken = 'type Query { a: Missing }';
  expect(() => composeSupergraph(new Map([['broken', broken]]))).toThrow('Missing');
});

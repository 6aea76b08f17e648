// Answers as lines of a zone file, and the mutations that have a preview in the graph.
import { expect, test } from '@jest/globals';
import { buildSchema, type GraphQLInputObjectType } from 'graphql';
import { previewed } from '../../../dashboard/src/forms/previewed.ts';
import { zoneText } from '../../../dashboard/src/forms/zone-text.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';

const answer = (...records: readonly (readonly ['A' | 'AAAA' | 'CNAME', string])[]) => ({
  outcome: 'RECORDS' as const,
  records: records.map(([type, data]) => ({ type, data, ttlSeconds: 30 })),
});
const empty = { outcome: 'NODATA' as const, records: [] };

test.each([
  [[answer(['A', '192.0.2.1']), empty], 'shop.example.net.\t30\tIN\tA\t192.0.2.1'],
  [
    [answer(['A', '192.0.2.1'], ['A', '192.0.2.2']), answer(['AAAA', '2001:db8::1'])],
    'shop.example.net.\t30\tIN\tA\t192.0.2.1\nshop.example.net.\t30\tIN\tA\t192.0.2.2\nshop.example.net.\t30\tIN\tAAAA\t2001:db8::1',
  ],
  [
    [answer(['CNAME', 'far.example.com.']), answer(['CNAME', 'far.example.com.'])],
    'shop.example.net.\t30\tIN\tCNAME\tfar.example.com.',
  ],
  [[empty, empty], '; shop.example.net. has no records'],
  [[{ ...empty, outcome: 'SERVFAIL' as const }, empty], '; shop.example.net. SERVFAIL'],
  [[null, null], '; shop.example.net. is not answered'],
])('%j', (answers, expected) => {
  expect(zoneText('shop.example.net', answers)).toBe(expected);
});

test('forms preview exactly the mutations that the graph can preview', () => {
  const schema = buildSchema(readSupergraph(), { assumeValid: true });
  const changes = (input: string) => Object.keys((schema.getType(input) as GraphQLInputObjectType).getFields());
  expect([...previewed.answers].sort()).toEqual(changes('GslbChangeInput').sort());
  expect(changes('LoadBalancerChangeInput')).toEqual(expect.arrayContaining([...previewed.nodes]));
});

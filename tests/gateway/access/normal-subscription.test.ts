// The normal form that lets subscriptions share an execution. The parts that depend on the document are computed once for all clients, and
// the rest for each client.
import { expect, test } from '@jest/globals';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { normaliseSubscription } from '../../../gateway/access/normal-subscription.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { alphaSdl } from '../support/subgraphs.ts';

const graph = () => new Supergraph(composeSupergraph(new Map([['alpha', alphaSdl]])));
const none: ReadonlySet<string> = new Set();
const document = parse('subscription S($after: String) { thingChanges(after: $after) { thing { name } } }', {
  noLocation: true,
});
const operation = getOperationAST(document) as OperationDefinitionNode;

test('clients that send the same document share its normal form, each with its own start position', () => {
  const supergraph = graph();
  const normalised = (after?: string) => normaliseSubscription(supergraph, document, operation, { after }, none);
  const [one, other] = [normalised('c1'), normalised()];
  expect(other.document).toBe(one.document);
  expect([other.key, other.planKey]).toEqual([one.key, one.planKey]);
  expect([one.after, other.after]).toEqual(['c1', undefined]);
  expect(() => normalised('x'.repeat(2_000))).toThrow('not a cursor');
});

test('another graph, or another set of filtered feeds, has its own normal form', () => {
  const [supergraph, next] = [graph(), graph()];
  const one = normaliseSubscription(supergraph, document, operation, {}, none);
  const later = normaliseSubscription(next, document, operation, {}, none);
  expect(later.document).not.toBe(one.document);
  expect(later.supergraphId).toBe(next.id);
  expect(normaliseSubscription(next, document, operation, {}, new Set(['thingChanges'])).isFiltered).toBe(true);
});

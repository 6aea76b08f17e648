// Every document of the command line and of the dashboard is within the operation limits, with pages of 100.
import { expect, test } from '@jest/globals';
import { getOperationAST, parse, validate } from 'graphql';
import { IntrospectionSize } from '../../../gateway/access/introspection-size.ts';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { OperationMeasurer } from '../../../gateway/access/operation-measure.ts';
import { sessionMutations } from '../../../gateway/access/session-documents.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import * as commandLine from '../../../generated/cli/graphql.ts';
import * as dashboard from '../../../generated/dashboard/graphql.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';

const { schema } = new Supergraph(readSupergraph());
const size = new IntrospectionSize(schema);
/** Documents whose pages are smaller than 100. */
const pages: Readonly<Record<string, number>> = { AppliedBalancersDocument: 20 };

const documents = Object.entries({ ...commandLine, ...dashboard }).flatMap(([name, text]) => {
  const document = name.endsWith('Document') ? parse(String(text)) : undefined;
  const operation = document && getOperationAST(document);
  return document === undefined || operation == null ? [] : [{ name, document, operation }];
});

test('many documents are found', () => {
  expect(documents.length).toBeGreaterThan(150);
});

test.each(documents)('$name', ({ name, document, operation }) => {
  const variables = { first: pages[name] ?? 100, limit: 100, periods: 60 };
  const { cost, depth, aliases } = new OperationMeasurer({ schema, size, document, operation, variables }).measure();
  expect(cost).toBeLessThanOrEqual(defaultLimits.maxCost);
  expect(depth).toBeLessThanOrEqual(defaultLimits.maxDepth);
  expect(aliases).toBeLessThanOrEqual(defaultLimits.maxAliases);
});

test.each(Object.entries(sessionMutations))(
  "the browser's document at %s is valid for the graph, and short enough without a login",
  (_, { document }) => {
    expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([]);
    // Words and signs are an upper bound for the number of tokens.
    expect([...document.matchAll(/\w+|[^\w\s]/g)].length).toBeLessThanOrEqual(defaultLimits.maxAnonymousTokens);
  },
);

// The highest possible cost of an operation. A field that requests many items multiplies the cost of its selection, in every form.
import { expect, test } from '@jest/globals';
import { buildSchema, type GraphQLSchema, getOperationAST, parse } from 'graphql';
import { IntrospectionSize } from '../../../gateway/access/introspection-size.ts';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { OperationMeasurer } from '../../../gateway/access/operation-measure.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';

const schema = buildSchema(`
  type Thing { id: ID! name: String }
  type ThingConnection { nodes: [Thing!]! }
  type ChangePage { things: [Thing!]! after: String! }
  type Verification { intact: Boolean! checked: Int! notes(limit: Int = 5): [Thing!]! }
  type Query {
    things(first: Int = 50): ThingConnection!
    changes(limit: Int = 1000): ChangePage!
    names(limit: Int): [Thing!]!
    verification(limit: Int = 10000): Verification!
  }
`);
const own = new Supergraph(readSupergraph()).schema;

function costOf(text: string, variables: Record<string, unknown> = {}, of: GraphQLSchema = schema): number {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (operation == null) throw new Error('one operation, please');
  const size = new IntrospectionSize(of);
  return new OperationMeasurer({ schema: of, size, document, operation, variables }).measure().cost;
}

test('first and limit multiply the cost of the list selection, as literal, variable and default', () => {
  expect(costOf('{ things(first: 10) { nodes { id name } } }')).toBe(1 + 10 * 3);
  expect(costOf('{ things { nodes { id } } }')).toBe(1 + 50 * 2);
  expect(costOf('{ changes(limit: 10) { things { id } after } }')).toBe(1 + 10 * 3);
  expect(costOf('{ changes { things { id } } }')).toBe(1 + 1000 * 2);
  expect(costOf('query ($n: Int) { changes(limit: $n) { things { id } } }', { n: 7 })).toBe(1 + 7 * 2);
  expect(costOf('query ($n: Int = 8) { names(limit: $n) { id } }')).toBe(1 + 8);
});

test('a plain list counts with its assumed length, and a field with its declared cost', () => {
  const of = buildSchema(`
    directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!]) on FIELD_DEFINITION
    directive @cost(weight: Int!) on FIELD_DEFINITION
    type Point { requests: Int }
    type Thing {
      id: ID!
      parts: [Thing!]! @listSize(assumedSize: 5)
      points(periods: Int = 60): [Point!]! @listSize(slicingArguments: ["periods"])
      asked(day: Int): [Point!]! @listSize(assumedSize: 7, slicingArguments: ["day"])
      device: String @cost(weight: 100)
    }
    type Query { thing: Thing things(first: Int = 20): [Thing!]! status: Thing @cost(weight: 50) }
  `);
  expect(costOf('{ thing { parts { id parts { id } } } }', {}, of)).toBe(1 + 1 + 5 * (1 + 1 + 5));
  expect(costOf('{ things(first: 100) { points(periods: 1440) { requests } } }', {}, of)).toBe(1 + 100 * (1 + 1440));
  expect(costOf('{ thing { points { requests } asked { requests } } }', {}, of)).toBe(1 + 1 + 60 + 1 + 7);
  expect(costOf('query ($n: Int) { thing { asked(day: $n) { requests } } }', { n: 30 }, of)).toBe(1 + 1 + 30);
  expect(costOf('{ status { id } things(first: 10) { device } }', {}, of)).toBe(50 + 1 + 1 + 10 * 100);
});

test('a limit on work with a single result multiplies nothing', () => {
  expect(costOf('{ verification(limit: 100000) { intact checked } }')).toBe(3);
  // A list with its own length counts with that length alone.
  expect(costOf('{ verification(limit: 100000) { intact notes { id } } }')).toBe(2 + 1 + 5);
  // The query of `tidegate audit verify`.
  const verify = `query ($from: BigInt, $limit: Int) {
    auditVerification(fromPosition: $from, limit: $limit) {
      intact checked unsealed firstBrokenPosition reason cuts { position epoch entryPosition }
    }
  }`;
  expect(costOf(verify, { limit: 100_000 }, own)).toBeLessThan(defaultLimits.maxCost);
});

test('a thousand mappings can be read at once, with all fields for a copy', () => {
  const page = `{ relayMappingChanges { mappings { id version mappingState objectKey updatedAt cmpObject { id } backend { id } } after upToDate } }`;
  expect(costOf(page, {}, own)).toBeLessThan(defaultLimits.maxCost);
  expect(costOf(page, {}, own)).toBeGreaterThan(10_000);
});

// The SDL of another team's subgraph adds to the graph, and changes nothing in the product's part.
import { expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { composeWith } from '../../../compose/outside-subgraphs.ts';
import { outsideNodes, outsideSdlFaults } from '../../../platform/graph/outside-sdl.ts';
import { apiSchemaOf, graphOf, readGraph } from '../../../platform/graph/sdl.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

const ours = readGraph();
const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable", "@override"])';
const inventory = `${link}
  scalar DateTime
  type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
  type Project @key(fields: "id") { id: ID! name: String! @external shelves: [Shelf!] tag: String @requires(fields: "name") }
  extend type CmpObject @key(fields: "id") { id: ID! @external shelf: Shelf }
  type Shelf @key(fields: "id") { id: ID! row: Int! project: Project seenAt: DateTime }
  type ShelfConnection { nodes: [Shelf!]! pageInfo: PageInfo! }
  type Query { shelf(id: ID!): Shelf shelves(first: Int = 20, after: String): ShelfConnection }
  type Mutation { shelfMove(id: ID!, row: Int!): Shelf }
`;

test("types, root fields and fields on the product's entities are added", async () => {
  expect(outsideSdlFaults(inventory, ours)).toEqual([]);
  const composed = await composeWith(graphOf(subgraphRows), new Map([['inventory', inventory]]));
  if ('faults' in composed) throw new Error(JSON.stringify(composed.faults));
  const schema = apiSchemaOf(composed.supergraphSdl);
  expect(Object.keys(schema.getQueryType()?.getFields() ?? {})).toEqual(
    expect.arrayContaining(['shelf', 'shelves', 'projects']),
  );
  expect(schema.getType('Project')?.toString()).toBe('Project');
});

test.each([
  ['text that is no SDL', 'type {', /^line 1: Syntax Error/],
  ['a file that is too long', `${link} # ${'x'.repeat(1024 * 1024)}`, /^it has \d+ characters; at most 1048576/],
  ['SDL of another kind', 'type Query { shelf: String }', /^it has no @link to Federation 2/],
  [
    'a type of ours',
    `${link} type Backend @key(fields: "id") { id: ID! name: String! }`,
    /^Backend\.name is a field of ours/,
  ],
  ['a payload of ours', `${link} type BackendPayload { other: Int }`, /^BackendPayload is a type of ours/],
  ['an input of ours', `${link} input CmpObjectInput { type: String! }`, /^CmpObjectInput is a type of ours/],
  ['an enum of ours', `${link} enum Retry { NEVER LATER }`, /^Retry is a type of ours/],
  ['a scalar as another kind of type', `${link} type DateTime { at: String }`, /^DateTime is a type of ours/],
  ['more values for an enum of ours', `${link} extend enum Retry { LATER }`, /^Retry is a type of ours/],
  ['an interface of ours', `${link} interface Node { id: ID! name: String }`, /^Node is a type of ours/],
  [
    'another key',
    `${link} type Project @key(fields: "name") { id: ID! name: String! @external }`,
    /^Project has the key "name"/,
  ],
  [
    'a second key',
    `${link} type Project @key(fields: "id") @key(fields: "id name") { id: ID! name: String! @external }`,
    /^Project has the key "id name"/,
  ],
  [
    'another type of a field of ours',
    `${link} type Project @key(fields: "id") { id: String! }`,
    /^Project\.id is ID! with us/,
  ],
  ['an entity of ours as an interface', `${link} interface Project { id: ID! }`, /^Project is an object type of ours/],
  [
    'a field that can take our object along',
    `${link} type Project @key(fields: "id") { id: ID! shelves: [Int!]! }`,
    /^Project\.shelves must be nullable/,
  ],
  [
    'a root field that can take the answer along',
    `${link} type Query { shelf: Int! }`,
    /^Query\.shelf must be nullable/,
  ],
  [
    'a root field of ours',
    `${link} type Query { project(id: ID!): Project } type Project @key(fields: "id") { id: ID! }`,
    /^Query\.project is a field of ours/,
  ],
  [
    'a mutation of ours',
    `${link} extend type Mutation { login(name: String): String }`,
    /^Mutation\.login is a field of ours/,
  ],
  [
    'a Node without the key of Nodes',
    `${link} interface Node { id: ID! } type Shelf implements Node { id: ID! }`,
    /^Shelf implements Node, but lacks the key/,
  ],
  ['a stream', `${link} type Subscription { shelves: Int }`, /^Subscription is not for outside subgraphs/],
  [
    'a takeover',
    `${link} type Query { shelf: Int @override(from: "relay") }`,
    /^Query\.shelf has @override, which is not allowed here/,
  ],
  [
    'a directive under another name',
    `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", { name: "@override", as: "@tag" }])
     type Query { shelf: Int @tag(from: "relay") }`,
    /^Query\.shelf has @tag \(@override\), which is not allowed here/,
  ],
  [
    'a field of ours that a field of theirs provides',
    `${link} type Shelf @key(fields: "id") { id: ID! project: Project @federation__provides(fields: "id name") }
     type Project @key(fields: "id") { id: ID! name: String! @external }`,
    /^Shelf\.project provides Project\.name, which is a field of ours/,
  ],
  [
    'a field of ours that is provided below a field of theirs',
    `${link} type Query { shelf: Shelf @federation__provides(fields: "... on Shelf { project { name } }") }
     type Shelf @key(fields: "id") { id: ID! project: Project @external }
     type Project @key(fields: "id") { id: ID! name: String! @external }`,
    /^Query\.shelf provides Project\.name, which is a field of ours/,
  ],
  ['a name of Federation', `${link} type join__Graph { id: ID }`, /^join__Graph has a name that Federation keeps/],
])('%s is refused', (_, sdl, fault) => {
  expect(outsideSdlFaults(sdl, ours)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
});

const node = 'interface Node { id: ID! }';
const shelf = (more = '') => `${link} ${node} type Shelf implements Node @key(fields: "id") { id: ID! ${more} }`;

test('a Node of an outside subgraph works for node and as the subject of events, and belongs to that subgraph only', async () => {
  const two = `${link} ${node}
    type Shelf @key(fields: "id") { id: ID! meter: Int } type Meter implements Node @key(fields: "id") { id: ID! }
    type Tray @key(fields: "id") { id: ID! } type Project implements Node @key(fields: "id") { id: ID! tray: Tray }`;
  expect(outsideNodes(shelf(), ours)).toEqual(['Shelf']);
  expect(outsideNodes(two, ours)).toEqual(['Meter']);
  const composed = await composeWith(graphOf(subgraphRows), new Map(Object.entries({ one: shelf('row: Int'), two })));
  if ('faults' in composed) throw new Error(JSON.stringify(composed.faults));
  const schema = apiSchemaOf(composed.supergraphSdl);
  const document = parse('{ node(id: "x") { ... on Shelf { row meter } ... on Meter { id } } }');
  expect(validate(schema, document)).toEqual([]);
  const claimed = new Map(Object.entries({ one: shelf(), two: shelf('meter: Int') }));
  expect(await composeWith(graphOf(subgraphRows), claimed)).toEqual({
    faults: [{ name: 'two', wrong: 'Shelf is a Node of one: extend it without "implements Node"' }],
  });
});

test('a fault that exists only between subgraphs is a fault of the outside ones', async () => {
  const composed = await composeWith(
    graphOf(subgraphRows),
    new Map([
      ['one', `${link} type Query { shelf: Int }`],
      ['two', `${link} type Query { shelf: String }`],
    ]),
  );
  expect(composed).toMatchObject({
    faults: [{ name: 'one', wrong: expect.stringContaining('shelf') }, { name: 'two' }],
  });
});

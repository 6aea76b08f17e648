// Each rule of the graph style finds its fault, and finds nothing in a graph that follows the rule.
import { expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { findStyleFaults } from '../../../tools/check/graph-style.ts';

const base = `
  scalar DateTime scalar BigInt scalar JSON
  interface Node { "Its id." id: ID! }
  enum FeedItemKind { "Nothing happened at all." CHECKPOINT }
`;

const good = `${base}
  enum LampOrder { "By its name, from a to z." NAME_ASC }
  type Lamp implements Node {
    id: ID!
    "Increases by one with every change." version: Int!
    "When it was made, in UTC." createdAt: DateTime!
    "When it last changed, in UTC." updatedAt: DateTime!
    "Its name, unique in its project." name: String!
    "Whether it gives light at present." lit: Boolean!
    "Bytes that it has sent so far." sentBytes: BigInt!
  }
  type LampConnection { nodes: [Lamp!]! "How many there are in all." totalCount: Int }
  type LampFeedItem { "Pass it to go on after it." cursor: String! "What the item tells you." kind: FeedItemKind! "The id of the lamp." subjectId: ID }
  input LampCreateInput { "Its name, unique in its project." name: String! "Whether it is lit at once." lit: Boolean = false }
  type LampPayload { "The lamp after the change." lamp: Lamp }
  type Query { "Lamps that the caller may see." lamps("Whose name contains this text." text: String, "How the lamps are sorted." orderBy: LampOrder, first: Int = 20, after: String): LampConnection }
  type Mutation { "Makes a lamp. Role: MEMBER. Refuses: ALREADY_EXISTS, INVALID_INPUT." lampCreate(input: LampCreateInput!): LampPayload }
`;

const faultsOf = (sdl: string) =>
  [...findStyleFaults(buildSchema(sdl))].flatMap(([rule, faults]) => faults.map((path) => `${rule}: ${path}`));

test('a graph that follows the rules has no fault', () => {
  expect(faultsOf(good)).toEqual([]);
});

test.each([
  ['roots', '): LampConnection }', '): LampConnection! }', '1 roots are nullable: lamps'],
  ['count', ' "How many there are in all." totalCount: Int', '', '2 connections count: LampConnection'],
  ['order', 'orderBy: LampOrder, ', '', '2 root lists have an order: lamps'],
  ['text', '"Whose name contains this text." text: String, ', '', '3 lists of named things filter by name: lamps'],
  [
    'enum filter',
    'text: String',
    'text: String, "Only lamps of this kind." kind: FeedItemKind',
    '3 filters by an enum are lists with plural names: Query.lamps(kind)',
  ],
  [
    'shape',
    'type LampConnection',
    'type Torch implements Node { id: ID! "What it is called, if anything." name: String "Increases by one with every change." version: Int! "When it was made, in UTC." createdAt: DateTime! "When it last changed, in UTC." updatedAt: DateTime! } type LampConnection',
    '4 a name has one shape over Node: name (String!: Lamp; String: Torch)',
  ],
  [
    'status',
    'enum LampOrder',
    'enum LampOperatingStatus { "It gives light." ON } enum LampOrder',
    '5 statuses are shared: LampOperatingStatus',
  ],
  [
    'time',
    'createdAt: DateTime!\n',
    'createdAt: DateTime! "When it was seen last." seen: DateTime\n',
    '6 names of times end in At, Until, From, Since or Before: Lamp.seen',
  ],
  [
    'version',
    '"Increases by one with every change." version: Int!',
    '',
    '6 entities have version, createdAt and updatedAt: Lamp',
  ],
  [
    'seconds',
    'lit: Boolean!',
    'lit: Boolean! "How long it is lit." litSeconds: Int',
    '7 durations are Int and end in Ms; seconds only for TTL and HSTS: Lamp.litSeconds',
  ],
  [
    'bytes',
    'sentBytes: BigInt!',
    'sentBytes: Int!',
    '7 bytes and counters are BigInt, shares are percent: Lamp.sentBytes',
  ],
  [
    'share',
    'lit: Boolean!',
    'lit: Boolean! "How much of it is lit." share: Float',
    '7 bytes and counters are BigInt, shares are percent: Lamp.share',
  ],
  [
    'boolean',
    'lit: Boolean!',
    'lit: Boolean! "Whether it is broken now." isBroken: Boolean',
    '8 booleans are positive adjectives: Lamp.isBroken',
  ],
  [
    'named',
    'lit: Boolean!',
    'lit: Boolean! "The room that it is in." roomId: ID',
    '9 outputs link objects: Lamp.roomId',
  ],
  [
    'input',
    'lit: Boolean = false',
    'lit: Boolean = false "The room that it is in." room: ID',
    '9 inputs refer by Id or Ids: LampCreateInput.room',
  ],
  [
    'JSON',
    'lit: Boolean!',
    'lit: Boolean! "Whatever else is known of it." more: JSON',
    '10 JSON only where nothing else fits: Lamp.more',
  ],
  ['verb', 'lampCreate', 'lampMake', '11 mutations are an object and a verb: lampMake'],
  [
    'default',
    '"Whether it is lit at once." lit: Boolean = false',
    '"Whether it is lit at once. Default: false." lit: Boolean',
    '12 defaults are in the SDL: LampCreateInput.lit',
  ],
  [
    'oneOf',
    'lit: Boolean = false',
    'lit: Boolean = false "Give one of this and lit." off: Boolean',
    '12 exactly one is @oneOf: LampCreateInput',
  ],
  ['role', ' Role: MEMBER.', '', '13 mutations document their role and codes: lampCreate'],
  [
    'short',
    '"The lamp after the change."',
    '"The lamp."',
    '14 descriptions have four words or more, and at most 200 characters: LampPayload.lamp',
  ],
  [
    'argument',
    '"Whose name contains this text." text',
    '"With this text." text',
    '14 descriptions have four words or more, and at most 200 characters: Query.lamps(text)',
  ],
  [
    'id of an input',
    'input LampCreateInput { "Its name, unique in its project." name',
    'input LampCreateInput { "The lamp." id',
    '14 descriptions have four words or more, and at most 200 characters: LampCreateInput.id',
  ],
  [
    'stream',
    ' "The id of the lamp." subjectId: ID',
    '',
    '15 items of a stream have cursor, kind and subjectId: LampFeedItem',
  ],
  [
    'size',
    'lit: Boolean!',
    'lit: Boolean! "Lamps that hang beside it." beside: [Lamp!]!',
    '16 plain lists of objects have a size: Lamp.beside',
  ],
  [
    'offered',
    '"By its name, from a to z."',
    '"Not offered: by its name."',
    '17 every value is offered: LampOrder.NAME_ASC',
  ],
  [
    'role of an input',
    'input LampCreateInput',
    '"What to make. Role: VIEWER." input LampCreateInput',
    '13 an input documents the role of its mutation, or none: lampCreate',
  ],
  [
    'role in words',
    'input LampCreateInput',
    '"What to make. Members only." input LampCreateInput',
    '13 a role has the form "Role: MEMBER.": LampCreateInput',
  ],
  [
    'deprecated',
    'lit: Boolean!',
    'lit: Boolean! @deprecated(reason: "Ask somebody.")',
    '18 deprecations name the successor and a date: Lamp.lit (Use Type.field. Not removed before 2027-01-31.)',
  ],
])('%s', (_, from, to, fault) => {
  expect(good).toContain(from);
  expect(faultsOf(good.replace(from, to))).toEqual([fault]);
});

import { expect, test } from '@jest/globals';
import { composeSupergraph } from '../../schema/compose.ts';
import { apiSchemaText } from '../../tools/api-schema.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@key"])
  @link(url: "https://specs.apollo.dev/nullability/v0.4", import: ["@semanticNonNull"])
  @composeDirective(name: "@semanticNonNull")
  directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION`;

const one = `${link}
  "Where to begin."
  type Query {
    "The one that is last."
    last("At most." b: Int = 2, a: Colour = RED): Thing @semanticNonNull
    first: [Thing!]! @deprecated(reason: "last has it")
  }
  "A thing."
  type Thing @key(fields: "id") { id: ID! }
  "Which."
  enum Colour { RED BLUE }`;

const other = `${link}
  type Thing @key(fields: "id") { id: ID! colour: Colour }
  enum Colour { RED BLUE }`;

const api = `enum Colour {
  BLUE
  RED
}

type Query {
  first: [Thing!]! @deprecated(reason: "last has it")
  last(a: Colour = RED, b: Int = 2): Thing @semanticNonNull
}

type Thing {
  colour: Colour
  id: ID!
}

directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION
`;

test('the schema that clients see is sorted, without descriptions, whatever the order of subgraphs', () => {
  const parts: [string, string][] = [
    ['one', one],
    ['other', other],
  ];
  for (const order of [parts, parts.toReversed()])
    expect(apiSchemaText(composeSupergraph(new Map(order))).replace(/^#.*\n\n/, '')).toBe(api);
});

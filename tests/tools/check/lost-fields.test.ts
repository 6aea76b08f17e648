// The lint rule that keeps a lost subgraph from removing the fields of others.
import { expect, test } from '@jest/globals';
import { readOwnGraph } from '../../../platform/graph/sdl.ts';
import { lintLostFields } from '../../../tools/check/lost-fields.ts';

const system = `
  type Project @key(fields: "id") { id: ID! name: String! }
  type Query { me: String @semanticNonNull }
`;
const relay = `
  type Backend @key(fields: "id") { id: ID! names: [String!]! project: Project }
  extend type Project { backends: [Backend!] }
  type Query { backends: [Backend!] @semanticNonNull }
  type Mutation { backendCreate(input: String): BackendPayload @semanticNonNull }
  type Subscription { changes: Backend! }
`;
const lint = (changed: string) =>
  lintLostFields(
    new Map([
      ['system', system],
      ['relay', changed],
    ]),
  );

test('the graph follows the rule, and so does the good example', () => {
  expect(lintLostFields(readOwnGraph())).toEqual([]);
  expect(lint(relay)).toEqual([]);
});

test.each([
  ['backends: [Backend!] @semanticNonNull', 'backends: [Backend!]!', 'Query.backends must be nullable'],
  ['BackendPayload @semanticNonNull', 'BackendPayload! @semanticNonNull', 'Mutation.backendCreate must be nullable'],
  ['BackendPayload @semanticNonNull', 'BackendPayload', 'Mutation.backendCreate needs @semanticNonNull'],
  ['project: Project', 'project: Project!', 'Backend.project must be nullable, or losing system'],
  [
    'extend type Project { backends: [Backend!] }',
    'extend type Project { backends: [Backend!]! }',
    'Project.backends must be nullable, or losing relay would lose the Project of system',
  ],
  ['names: [String!]!', 'names: [String]!', 'Backend.names must not have null in its list'],
])('%j changed to %j: %s', (before, after, fault) => {
  expect(relay).toContain(before);
  expect(lint(relay.replace(before, after))).toEqual([expect.stringContaining(fault)]);
});

// The fields of an update that can't be null, as declared by the graph.
import { expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { neverNull } from '../../schema/kinds/update-nulls.ts';

const schema = buildSchema(`
  type Lamp { id: ID!, name: String!, note: String, room: String, cordColours: [String!]!, limits: String! }
  input LoadBalancerNodeSizeInput { connections: Int, threads: Int }
  input LampUpdateInput {
    id: ID!, expectedVersion: Int, idempotencyKey: String
    name: String, note: String, roomId: ID, cordColours: [String!], limits: LoadBalancerNodeSizeInput, secret: String
  }
  input LampSwitchInput { id: ID!, name: String }
  input SocketUpdateInput { backendId: ID!, name: String }
  type Query { lamp: Lamp }
  type Mutation { lampUpdate(input: LampUpdateInput!): Lamp, lampSwitch(input: LampSwitchInput!): Lamp, socketUpdate(input: SocketUpdateInput!): Lamp }
`);

test('a required or hidden field is never null; nor are parts of one that is merged', () => {
  expect(neverNull(schema)).toEqual({
    lampUpdate: ['name', 'cordColours', 'limits', 'limits.connections', 'limits.threads', 'secret'],
  });
});

test('an update of a type that is not in the graph is refused', () => {
  const wrong = buildSchema(
    'input BulbUpdateInput { id: ID!, name: String } type Query { a: Int } type Mutation { bulbUpdate(input: BulbUpdateInput!): Int }',
  );
  expect(() => neverNull(wrong)).toThrow('BulbUpdateInput is the update of no type');
});

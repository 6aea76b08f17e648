// Parts that the planner leaves out of a plan are added. Without them a subgraph would refuse the request, or not know the entity.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { PlanMender } from '../../../gateway/execution/mended-plan.ts';
import type { PathSegment, PlanNode } from '../../../gateway/execution/planner.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { federate, head, usePlanners } from './support/federation.ts';

usePlanners();

test('an object without requested fields', async () => {
  const order = { id: '1', rank: 3, color: 'RED', hits: () => order };
  const { ask, asked } = federate({
    a: {
      sdl: `type Query { hello: Int }
        type Order @key(fields: "id") { id: ID! hits: Order @shareable @provides(fields: "name") name: String @external
          color: String @external calc: String @requires(fields: "color") }`,
      resolvers: {
        Order: { __resolveReference: (given: object) => given, calc: ({ color }: { color: string }) => `${color}!` },
      },
    },
    c: {
      sdl: `type Query { order: Order }
        type Order @key(fields: "id") { id: ID! rank: Int hits: Order @shareable name: String @shareable color: String }`,
      resolvers: { Query: { order: () => order } },
    },
  });
  expect(await ask('{ order { hits { hits { calc hits { calc rank id } } } } }')).toEqual({
    data: { order: { hits: { hits: { calc: 'RED!', hits: { calc: 'RED!', rank: 3, id: '1' } } } } },
  });
  expect(asked.at(-1)).toMatch(/hits\{__typename\}/);
});

describe('the key of an entity', () => {
  const mender = new PlanMender(
    composeSupergraph(
      new Map([
        ['a', `${head}type Query { order: Order } type Order @key(fields: "code") { code: String! note: Int }`],
        [
          'b',
          `${head}type Order @key(fields: "id") @key(fields: "code") @key(fields: "region num")
            { id: ID! code: String! region: Int num: Int }`,
        ],
      ]),
    ),
  );
  const entity = (serviceName: string, names: readonly string[], path: readonly PathSegment[]): PlanNode => ({
    kind: 'Flatten',
    path,
    node: {
      ...{ kind: 'Fetch', serviceName, operation: '{_entities(representations: $r){...on Order{__typename}}}' },
      requires: [
        { kind: 'InlineFragment', typeCondition: 'Order', selections: names.map((name) => ({ kind: 'Field', name })) },
      ],
    },
  });
  const [order, other] = [[{ Field: 'order' }], [{ Field: 'other' }]];
  const mended = (...nodes: readonly PlanNode[]) => mender.mended({ kind: 'Sequence', nodes });

  test('is one that was sent before for the same object', () => {
    const first = entity('b', ['__typename', 'code', 'id'], order);
    const plan = mended(first, entity('a', ['__typename', 'num', 'id'], order));
    const code = { kind: 'Field', name: 'code', selections: null };
    expect(plan).toMatchObject({
      nodes: [first, { node: { requires: [{ selections: [{}, { name: 'num' }, { name: 'id' }, code] }] } }],
    });
  });

  test('is not added to another one', () => {
    const plan = [entity('a', ['__typename', 'code'], order), entity('b', ['__typename', 'region', 'num'], order)];
    expect(mended(...plan)).toEqual({ kind: 'Sequence', nodes: plan });
  });

  test('belongs to the type name in the representation', () => {
    const named = new PlanMender(
      composeSupergraph(
        new Map([
          [
            'a',
            `${head}type Query { i: I } interface I @key(fields: "id") { id: ID! }
            type Order implements I @key(fields: "id") { id: ID! code: ID! @shareable }`,
          ],
          [
            'd',
            `${head}type Order @key(fields: "code") { code: ID! @shareable }
            type I @key(fields: "id") @interfaceObject { id: ID! extra: Int }`,
          ],
        ]),
      ),
    );
    const sent = (setValueTo: string): PlanNode => ({
      ...{ kind: 'Fetch', serviceName: 'd', operation: '{_entities(representations: $r){...on I{extra}}}' },
      requires: [{ kind: 'InlineFragment', typeCondition: 'Order', selections: [{ kind: 'Field', name: 'id' }] }],
      inputRewrites: [{ ValueSetter: { path: [{ TypenameEquals: ['Order'] }, { Key: '__typename' }], setValueTo } }],
    });
    expect(named.mended(sent('I'))).toEqual(sent('I'));
    expect(named.mended(sent('Order'))).toBe('its plan sends Order to d without a key');
  });

  test('must be known', () => {
    const keyless = entity('a', ['__typename', 'id'], other);
    expect(mended(entity('b', ['code'], order), keyless)).toBe('its plan sends Order to a without a key');
  });
});

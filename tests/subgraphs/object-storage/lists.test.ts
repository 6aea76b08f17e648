// Lists of object storage: orders, cursors, name filters and counts.
import { beforeAll, expect, test } from '@jest/globals';
import { forFile } from '../../support/jest/shared.ts';
import { orders } from '../support/orders.ts';
import { ControlGraph, identity } from './support/control-graph.ts';

const graph = forFile(() => ControlGraph.open());

beforeAll(async () => {
  for (const name of ['north', 'west', 'east']) await graph.make('objectClusterCreate', { name });
  for (const name of ['small', 'big']) await graph.make('objectOptionCreate', { name, replicas: 1 });
  const gone = await graph.make('objectClusterCreate', { name: 'gone' });
  await graph.make('objectClusterDelete', { id: gone });
  for (const name of ['backup', 'Zebra', 'backup'])
    await graph.mutate('objectAccessKeyCreate', { name }, undefined, identity('OPERATOR'));
});

orders(
  'object-storage',
  (who, text) => graph.ask(text, {}, who === 'admin' ? identity('ADMIN') : identity('MEMBER')),
  `
    objectClusters   | admin  | north west east
    objectOptions    | member | small big
    objectAccessKeys | admin  | backup Zebra backup`,
);

test('rings and their changes are listed in both time orders', async () => {
  interface Listed {
    readonly list: {
      readonly totalCount: number;
      readonly nodes: readonly { readonly number: number }[];
      readonly pageInfo: { readonly endCursor: string };
    };
  }
  const page = async (field: string, args: string) =>
    (
      await graph.ask<Listed>(
        `{ list: ${field}${args && `(${args})`} { nodes { number } totalCount pageInfo { endCursor } } }`,
      )
    ).list;
  const listed = async (field: string, args = '') => {
    const { nodes, totalCount } = await page(field, args);
    return `${nodes.map(({ number }) => number).join(' ')} (${totalCount})`;
  };
  expect(await listed('objectRings')).toBe('0 1 2 (3)');
  expect(await listed('objectRings', 'orderBy: NEWEST, first: 2')).toBe('2 1 (3)');
  expect(await listed('objectRingChanges', 'orderBy: OLDEST')).toBe(' (0)');
  const containers = '{ objectOptions(orderBy: NEWEST, first: 1) { nodes { containers { totalCount } } } }';
  expect(await graph.ask(containers)).toEqual({ objectOptions: { nodes: [{ containers: { totalCount: 0 } }] } });
  const after = JSON.stringify((await page('objectRings', 'first: 1')).pageInfo.endCursor);
  expect(await listed('objectRings', `after: ${after}`)).toBe('1 2 (3)');
  await expect(listed('objectRings', `after: ${after}, orderBy: NEWEST`)).rejects.toThrow(/after: /);
  await expect(listed('objectRings', 'after: "[\\"OLDEST\\",\\"x\\"]"')).rejects.toThrow(/after: /);
});

// Rows of HAProxy's table of a node.
import { expect, test } from '@jest/globals';
import { rowsOf, type Statistics } from '../../../../dashboard/src/pages/loadbalancer/statistics/statistics-rows.ts';
import { statistics } from '../../support/fake-statistics.ts';

const members = [
  { id: 'm1', name: 'app-1' },
  { id: 'm2', name: '', isDown: true },
];
const table = statistics(1, members) as unknown as Statistics;

test('listeners, then each pool with its members', () => {
  const rows = rowsOf(table);
  expect(rows.map(({ kind, name }) => [kind, name])).toEqual([
    ['listener', 'port 80 web'],
    ['pool', 'shop'],
    ['member', 'app-1'],
    ['member', '10.0.1.1:8080'],
  ]);
  const [listener, pool, up, down] = rows;
  expect(listener).toMatchObject({ errors: '31 no requests, 4 answers 5xx', hasErrors: true, requests: '184.2 k' });
  expect(pool).toMatchObject({ status: { word: '1 usable', isDown: false }, queue: '0, most 7', retries: '2 retries' });
  expect(up).toMatchObject({
    ...{ sessions: '3, most 41', rate: '12/s, most 190', bytes: '87.0 MiB in, 8.2 GiB out' },
    check: { words: 'L7OK in 1 ms: its check succeeded' },
  });
  expect(down).toMatchObject({ status: { word: 'down', isDown: true }, errors: '318 no connection' });
});

test('a pool that fails open is listed twice, its members once; deleted parts are marked', () => {
  const [pool] = table.pools;
  const [server] = table.servers;
  if (pool === undefined || server === undefined) throw new Error('the sample has no pool');
  const rows = rowsOf({
    ...{ ...table, pools: [pool, pool], servers: [...table.servers, { ...server, poolMember: null }] },
    listeners: table.listeners.map((listener) => ({ ...listener, listener: null })),
  });
  expect(rows.map(({ name }) => name)).toEqual([
    ...['a deleted listener', 'shop', 'app-1', '10.0.1.1:8080', 'shop', '10.0.1.1:8080, deleted'],
  ]);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
});

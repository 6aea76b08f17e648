// Requests by the name of their operation: which names are labels, and how many.
import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { OperationCounts } from '../../../gateway/http/operation-counts.ts';

function counted(published: ReadonlySet<string> = new Set()) {
  const registry = new Registry();
  const counts = new OperationCounts(registry, (hash) => published.has(hash));
  const labels = async () => {
    const values = (await registry.getSingleMetric('tidegate_gateway_operations_total')?.get())?.values ?? [];
    return Object.fromEntries(values.map(({ labels: { operation }, value }) => [String(operation), value]));
  };
  const ended = (name: string | undefined, times = 1) => {
    const operation = name === undefined ? {} : { name: { value: name } };
    for (let nth = 0; nth < times; nth += 1) counts.ended({ hash: `hash of ${name}`, operation }, 5);
  };
  return { registry, labels, ended };
}

test('a published operation has its name at once, another one after 100 requests', async () => {
  const { registry, labels, ended } = counted(new Set(['hash of Known']));
  ended('Known', 2);
  ended('Frequent', 99);
  expect(await labels()).toEqual({ Known: 2, other: 99 });
  ended('Frequent', 3);
  ended(undefined);
  ended('x'.repeat(101), 200);
  expect(await labels()).toEqual({ Known: 2, Frequent: 3, other: 300 });
  expect(await registry.metrics()).toContain('tidegate_gateway_operation_seconds_total{operation="Known"} 0.01');
});

test('clients can make at most 50 labels, and with published ones there are at most 100', async () => {
  const names = Array.from({ length: 120 }, (_, at) => `Published${at}`);
  const { labels, ended } = counted(new Set(names.map((name) => `hash of ${name}`)));
  for (let at = 0; at < 70; at += 1) ended(`Own${at}`, 150);
  expect(Object.keys(await labels())).toHaveLength(51);
  for (const name of names) ended(name);
  const all = await labels();
  expect(Object.keys(all)).toHaveLength(100);
  expect([all.Published48, all.Published49]).toEqual([1, undefined]);
  expect(Object.values(all).reduce((sum, count) => sum + count, 0)).toBe(70 * 150 + 120);
});

test('a flood of names forgets candidates, not labels', async () => {
  const { labels, ended } = counted();
  ended('Frequent', 100);
  ended('Nearly', 99);
  for (let at = 0; at < 2_000; at += 1) ended(`Flood${at}`);
  ended('Nearly');
  ended('Frequent');
  expect(await labels()).toEqual({ Frequent: 2, other: 99 + 99 + 2_000 + 1 });
});

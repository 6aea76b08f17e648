// The reconciler as its registration assembles it for a worker. The names of its load balancers are in dns/.
import { expect, test } from '@jest/globals';
import type { AddressRecord } from '../../../../../dns/records/record-set.ts';
import { declareRecords, readRecordSet } from '../../../../../dns/records/record-store.ts';
import { forgetProject } from '../../../../../platform/edge/projects.ts';
import { OwedWork } from '../../../../../platform/owed/owed-work.ts';
import { readConfig, settingsOf } from '../../../../../platform/process/config.ts';
import type { DatabaseContext } from '../../../../../platform/process/subgraph-row.ts';
import { decodeUuid } from '../../../../../platform/values/ids.ts';
import { loadBalancerRow } from '../../../../../subgraphs/loadbalancer/row.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerGraph, identity, projectA, projectB, zone } from '../../support/balancer-graph.ts';

const graph = forFile(() => BalancerGraph.open());

/** Runs it once, as a worker does, with `dns.servers`. */
async function reconcile(uuid: string, servers = ''): Promise<void> {
  const config = readConfig({ flags: { 'dns.servers': servers } }, [loadBalancerRow]);
  const work = await loadBalancerRow.work?.(graph as unknown as DatabaseContext, settingsOf(loadBalancerRow, config));
  const queue = work?.queues?.find(({ kind }) => kind === 'lb-reconcile');
  const job = await new OwedWork({ db: graph.db }).claim('lb-reconcile', uuid);
  if (job === undefined) throw new Error('nothing is owed');
  await queue?.run(job, { signal: new AbortController().signal });
}

async function create(name: string): Promise<{ readonly id: string; readonly uuid: string }> {
  const { id } = await graph.make('loadBalancerCreate', { name, minNodes: 1, maxNodes: 1 }, 'loadBalancer { id }');
  return { id, uuid: decodeUuid('LoadBalancer', id) ?? '' };
}

const nameOf = (label: string) => ({ zone, name: `${label}.alpha.${zone}` });
const declare = (label: string, owner: string, records: readonly AddressRecord[] = []) =>
  graph.db.transaction((tx) => declareRecords(tx, graph.wake, { ...nameOf(label), owner, records, ttlSeconds: 5 }));

test.each(['', '192.0.2.53:53'])(
  'the name of a deleted load balancer is withdrawn, with dns.servers "%s"',
  async (servers) => {
    const label = servers === '' ? 'without' : 'with';
    const { id, uuid } = await create(label);
    await declare(label, `loadbalancer/${uuid}`, [{ type: 'A', value: '192.0.2.1' }]);
    await graph.make('loadBalancerDelete', { id }, 'loadBalancer { id }');
    await reconcile(uuid, servers);
    expect(await readRecordSet(graph.db, nameOf(label))).toMatchObject({ withdrawn: true, records: [] });
  },
);

test('a load balancer has its name without addresses from its creation until it is deleted', async () => {
  const { id, uuid } = await create('early');
  expect(await readRecordSet(graph.db, nameOf('early'))).toMatchObject({
    ...{ owner: `loadbalancer/${uuid}`, generation: 0, records: [], withdrawn: false },
  });
  await expect(declare('early', 'gslb/1')).rejects.toThrow('NAME_TAKEN');
  await graph.make('loadBalancerDelete', { id }, 'loadBalancer { id }');
  await reconcile(uuid);
  expect(await readRecordSet(graph.db, nameOf('early'))).toBeUndefined();
  // It waits for no timer, because the withdrawal requests the next reconciliation at once.
  const owed = "SELECT due_at <= NOW(3) AS due FROM owed_work WHERE kind = 'lb-reconcile' AND `key` = ?";
  const [row] = await graph.db.query<{ due: number | null }>(owed, [uuid]);
  expect(Number(row?.due)).toBe(1);
  await reconcile(uuid);
  await declare('early', 'gslb/1');
});

test('a load balancer whose name belongs to another object is refused, and nothing of it is left', async () => {
  await declare('taken', 'gslb/1', [{ type: 'A', value: '192.0.2.7' }]);
  const count = async () => (await graph.db.query('SELECT id FROM lb_load_balancer')).length;
  const before = await count();
  const { told } = await graph.mutate('loadBalancerCreate', { name: 'taken' });
  expect(told).toEqual([
    {
      ...{ code: 'NAME_TAKEN', field: ['input', 'name'] },
      message: `the name taken.alpha.${zone} belongs to another object: choose another name`,
    },
  ]);
  expect(await count()).toBe(before);
  expect(await readRecordSet(graph.db, nameOf('taken'))).toMatchObject({ owner: 'gslb/1', generation: 1 });
});

test('if two projects would use the same name, the second load balancer is refused', async () => {
  const name = { name: 'both', minNodes: 1, maxNodes: 1 };
  await graph.make('loadBalancerCreate', name, 'loadBalancer { id }');
  // As if the first project had been deleted with its load balancer, and its name given to the second.
  await graph.db.transaction(async (tx) => {
    await forgetProject(tx, projectA);
    await tx.execute("UPDATE project_name SET name = 'alpha' WHERE project_id = ?", [projectB]);
  });
  const { faults } = await graph.mutate('loadBalancerCreate', name, identity('MEMBER', projectB));
  expect(faults).toEqual(['NAME_TAKEN input.name']);
});

test('one of ten load balancers with the same name is created', async () => {
  const other = identity('MEMBER', projectB);
  const made = await Promise.all(
    Array.from({ length: 10 }, () => graph.mutate('loadBalancerCreate', { name: 'race' }, other)),
  );
  expect(made.filter(({ faults }) => faults.length === 0)).toHaveLength(1);
});

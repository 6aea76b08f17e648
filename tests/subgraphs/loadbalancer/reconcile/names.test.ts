// The reconciler as the row puts it together, which a worker runs: its load balancers have names in dns/.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { declareRecords, readRecordSet } from '../../../../dns/records/record-store.ts';
import { readConfig, settingsOf } from '../../../../platform/config.ts';
import { decodeUuid } from '../../../../platform/ids.ts';
import { OwedWork } from '../../../../platform/owed-work.ts';
import type { Ground } from '../../../../platform/subgraph-row.ts';
import { loadBalancerRow } from '../../../../subgraphs/loadbalancer/row.ts';
import { BalancerGraph, identity, zone } from '../support/balancer-graph.ts';

let graph: BalancerGraph;
beforeAll(async () => {
  graph = await BalancerGraph.open();
});
afterAll(() => graph.stop());

test.each(['', '192.0.2.53:53'])(
  'the name of a deleted load balancer is withdrawn, with dns.servers "%s"',
  async (servers) => {
    const { db, wake } = graph;
    const label = servers === '' ? 'without' : 'with';
    const { id } = await graph.make(
      'loadBalancerCreate',
      { name: label, minNodes: 1, maxNodes: 1 },
      'loadBalancer { id }',
      identity('MEMBER'),
    );
    const uuid = decodeUuid('LoadBalancer', id) ?? '';
    const name = { zone, name: `${label}.alpha.${zone}` };
    const records = [{ type: 'A', value: '192.0.2.1' } as const];
    const wanted = { ...name, owner: `loadbalancer/${uuid}`, records, ttlSeconds: 5 };
    await db.transaction((tx) => declareRecords(tx, wake, wanted));
    await graph.make('loadBalancerDelete', { id }, 'loadBalancer { id }', identity('MEMBER'));

    const config = readConfig({ flags: { 'dns.servers': servers } }, [loadBalancerRow]);
    const work = await loadBalancerRow.work?.(graph as unknown as Ground, settingsOf(loadBalancerRow, config));
    const reconcile = work?.queues?.find(({ kind }) => kind === 'lb-reconcile');
    const job = await new OwedWork({ db }).claim('lb-reconcile', uuid);
    if (job === undefined) throw new Error('nothing is owed');
    await reconcile?.run(job, { signal: new AbortController().signal });
    expect(await readRecordSet(db, name)).toMatchObject({ withdrawn: true, records: [] });
  },
);

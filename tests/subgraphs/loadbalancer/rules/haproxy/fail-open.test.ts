// The number of usable servers below which a pool fails open.
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { renderNode } from '../../../../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import { part, wantedNode } from '../../support/wanted.ts';

const balancerId = newUuid();
const names: Readonly<Record<string, readonly string[]>> = {
  'one.test': ['192.0.2.1'],
  'eight.test': Array.from({ length: 8 }, (_, at) => `192.0.2.${at + 11}`),
  'nowhere.test': [],
};

/** The condition on `nbsrv`, which counts servers. */
function fewOf(failOpenBelowPercent: number, hosts: readonly string[]): string | undefined {
  const pool = part('Pool', balancerId, { memberProtocol: 'HTTP', failOpenBelowPercent });
  const monitor = part('PoolHealthMonitor', pool.id, { monitorType: 'HTTP' });
  const listener = part('Listener', balancerId, { protocol: 'HTTP', port: 80, defaultPool: pool.id });
  const members = hosts.map((host, at) => part('PoolMember', pool.id, { host, port: 80 + at }));
  const { files } = renderNode(wantedNode(balancerId, [pool, monitor, listener, ...members]), {
    ...{ folder: '/node', runtimeSocket: '/node/run.sock', uid: null, healthPort: 1, incarnation: newUuid(), now: 0 },
    addressesOf: (name) => names[name] ?? [],
  });
  return files.get(`/node/files/few-${pool.id}`)?.content.trim();
}

test('a share of the members becomes a share of their servers: a name with many addresses does not keep a pool of dead members closed', () => {
  const plain = ['192.0.2.101', '192.0.2.102', '192.0.2.103', '192.0.2.104'];
  expect(fewOf(50, plain)).toBe('0:1');
  expect(fewOf(50, ['one.test', ...plain.slice(1)])).toBe('0:1');
  // The 8 servers of the name are fewer than half of 17.
  const nine = Array.from({ length: 9 }, (_, at) => `192.0.2.${at + 101}`);
  expect(fewOf(50, ['eight.test', ...nine])).toBe('0:8');
  expect(fewOf(100, ['eight.test', ...plain])).toBe('0:11');
  // A name without addresses is an unhealthy member.
  expect(fewOf(100, ['nowhere.test', 'one.test'])).toBe('0:1');
});

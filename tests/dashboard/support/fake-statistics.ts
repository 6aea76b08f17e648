// HAProxy's table of a node, as the graph gives it.
import { now } from './fake-values.ts';

const common = {
  ...{ sessions: 3, mostSessions: 41, sessionLimit: null, rate: 12, mostRate: 190, requests: '184220' },
  ...{ bytesIn: '91204112', bytesOut: '8812044120', serverErrors: '4' },
};
const towards = {
  ...{ connectErrors: '0', answerErrors: '0', retries: '2', redispatches: '0', waiting: 0, mostWaiting: 7 },
  latencyMs: 9,
};

/** Of a load balancer with one listener and one pool. */
export function statistics(
  number: number,
  members: readonly { readonly id: string; readonly name: string; readonly isDown?: boolean }[],
  measuredAt = now(),
) {
  const pool = { id: `pool${number}`, name: 'shop' };
  return {
    ...{ measuredAt, countedSince: now(-7_200_000), leftOutCount: 0 },
    listeners: [{ ...common, listener: { id: `l${number}`, name: 'web', port: 80 }, requestErrors: '31', denied: '0' }],
    pools: [{ ...common, ...towards, pool, usableMembers: members.filter(({ isDown }) => isDown !== true).length }],
    servers: members.map(({ id, name, isDown = false }) => ({
      ...{ ...common, ...towards, poolMember: { id, name, pool }, address: '10.0.1.1:8080', weight: 1 },
      ...(isDown ? { sessions: 0, rate: 0, serverErrors: '0', connectErrors: '318' } : {}),
      ...{ status: isDown ? 'DOWN' : 'UP', statusSince: now(isDown ? -1_500_000 : -7_100_000), checkFailures: '3' },
      ...{ checkCode: isDown ? 'L4CON' : 'L7OK', checkSince: now(-1_500_000), checkDurationMs: 1, falls: '1' },
      checkMessage: isDown ? 'no connection: Connection refused' : 'its check succeeded',
    })),
  };
}

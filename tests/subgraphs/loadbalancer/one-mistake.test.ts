// One mistake in a new load balancer and its parts gives one error, at its place.
import { forFile } from '../../support/jest/shared.ts';
import { oneMistake } from '../support/one-mistake.ts';
import { BalancerGraph, identity } from './support/balancer-graph.ts';

const graph = forFile(() => BalancerGraph.open());

const treeOf = (number: number) => ({
  ...{ name: `web-${number}`, description: 'a shop', tags: ['a'], minNodes: 1, maxNodes: 3 },
  ...{ cmpObject: { type: 'tenant', externalId: '7' }, nodeSize: { connections: 10_000, threads: 2 } },
  pools: [
    {
      ...{ name: 'web', description: 'the shop', memberProtocol: 'HTTP', algorithm: 'LEAST_CONNECTIONS', tags: ['a'] },
      ...{ persistence: { type: 'APP_COOKIE', cookieName: 'session' }, tls: true, ejectAfterErrors: 5 },
      ...{ slowStartMs: 1_000, drainMs: 10_000, failOpenBelowPercent: 10 },
      members: [
        {
          ...{ host: '192.0.2.10', port: 80, name: 'one', weight: 5, tags: ['a'] },
          ...{ monitorHost: '192.0.2.11', monitorPort: 81 },
        },
      ],
      healthMonitor: {
        ...{ name: 'alive', monitorType: 'HTTP', intervalMs: 3_000, timeoutMs: 900, rise: 3, fall: 4, method: 'HEAD' },
        ...{ path: '/alive', hostHeader: 'alive.test', expectedCodes: '204' },
      },
    },
    { name: 'static', memberProtocol: 'HTTP' },
  ],
  listeners: [
    {
      ...{ name: 'web', description: 'for all', protocol: 'HTTP', port: 80, defaultPool: 'web', connectionLimit: 100 },
      ...{ accessLogPercent: 2, tags: ['a'], allowedCidrs: ['192.0.2.0/24'], clientTimeoutMs: 10_000 },
      insertHeaders: ['X_FORWARDED_FOR'],
      l7Policies: [
        {
          ...{
            name: 'images',
            description: 'of the shop',
            action: 'REDIRECT_TO_POOL',
            redirectPool: 'static',
            position: 3,
          },
          l7Rules: [{ ruleType: 'HEADER', key: 'x-a', compareType: 'EQUAL_TO', value: 'b', invert: true }],
        },
        { name: 'away', action: 'REDIRECT_TO_URL', redirectUrl: 'https://away.test/', redirectCode: 307, l7Rules: [] },
      ],
    },
  ],
  autoscaling: {
    ...{ targetPercent: 70, tolerancePercent: 5, requestsPerNode: 100, timeZone: 'Europe/Berlin', periodMs: 20_000 },
    schedule: [{ days: [1], from: '08:00', to: '18:00', minNodes: 2, maxNodes: 3 }],
  },
});

oneMistake(
  (input) => graph.mutate('loadBalancerCreate', { ...input }, identity('MEMBER'), 'loadBalancer { id }'),
  treeOf,
  // If a pool has a wrong name, the error is at the reference to it.
  (path) => /^pools\.\d\.name$/.test(path),
);

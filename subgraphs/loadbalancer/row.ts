// The row of the load balancer subgraph.
import { fileURLToPath } from 'node:url';
import { subgraphRow } from '../../platform/subgraph-row.ts';
import { loadBalancerEvents } from './events.ts';

export const loadBalancerRow = subgraphRow({
  name: 'loadbalancer',
  sdl: new URL('../../schema/loadbalancer.graphql', import.meta.url),
  migrations: {
    owner: 'loadbalancer',
    folder: fileURLToPath(new URL('../../prisma/migrations/loadbalancer', import.meta.url)),
  },
  events: loadBalancerEvents,
  settings: {},
  async create() {
    throw new Error('the load balancer is not put together yet');
  },
});

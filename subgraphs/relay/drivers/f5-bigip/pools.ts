// Pools. iControl REST Reference 13.1, /mgmt/tm/ltm/pool.

import type { JsonValue } from '../driver.ts';
import { given } from '../json.ts';
import { ifGiven } from './if-given.ts';
import type { LtmKind } from './ltm-kind.ts';
import { fullPathOf, ltmPath, onlyMonitorOf, referenceOf } from './names.ts';
import { name, partition, reference } from './schema.ts';

/** In our terms. */
const noMonitor = '/Common/none';

/** A pool's monitor is taken away by the empty text; `/Common/none` is for nodes (f5-ansible, bigip_pool and bigip_node). */
const sentMonitor = (monitor: JsonValue | undefined) => (monitor === noMonitor ? '' : monitor);

export const pool: LtmKind = {
  resource: 'pool',
  prefix: 'pool',
  one: 'a pool',
  many: 'pools',
  listKey: 'pools',
  kinds: ['tm:ltm:pool:poolstate'],
  naming: { properties: { name, partition }, required: ['name'], example: { name: 'web' } },
  listing: { properties: { partition: name }, required: [], example: {}, byPartition: true },
  settings: {
    properties: {
      monitor: { ...reference, description: 'The full path of a monitor, the name of a monitor in Common, or `none`.' },
      loadBalancing: {
        type: 'string',
        enum: [
          ...['round-robin', 'ratio-member', 'ratio-node', 'least-connections-member', 'least-connections-node'],
          ...['observed-member', 'observed-node', 'predictive-member', 'predictive-node', 'fastest-node'],
        ],
        description: 'The load balancing method.',
      },
    },
    required: [],
    example: { monitor: 'http', loadBalancing: 'round-robin' },
    fixed: [],
  },
  lists: {},
  own: ['monitor', 'loadBalancing'],
  reads: ['monitor', 'loadBalancingMode'],
  place(args) {
    const [inPartition, key] = [String(args.partition), String(args.name)];
    return { collection: `${ltmPath}/pool`, fullPath: fullPathOf(inPartition, key), scope: inPartition, key };
  },
  collection: () => `${ltmPath}/pool`,
  named: ({ scope, key }) => ({ partition: scope, name: key }),
  settle: ({ name: known, partition: inPartition, monitor, loadBalancing }) => ({
    ...{ name: known, partition: inPartition },
    ...given({ monitor: ifGiven(monitor, referenceOf), loadBalancing }),
  }),
  toDevice: ({ monitor, loadBalancing }) => given({ monitor: sentMonitor(monitor), loadBalancingMode: loadBalancing }),
  values: (object) => ({
    name: object.name,
    partition: object.partition,
    monitor: onlyMonitorOf(object.monitor) ?? noMonitor,
    loadBalancing: object.loadBalancingMode,
  }),
};

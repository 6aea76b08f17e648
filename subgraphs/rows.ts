// All subgraphs, one row each: the only list of them in the code. System comes first: it owns the shared objects.
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';
import { gslbRow } from './gslb/row.ts';
import { loadBalancerRow } from './loadbalancer/row.ts';
import { objectStorageRow } from './object-storage/row.ts';
import { relayRow } from './relay/row.ts';
import { systemRow } from './system/row.ts';

export const subgraphRows: readonly SubgraphRow[] = [systemRow, relayRow, loadBalancerRow, gslbRow, objectStorageRow];

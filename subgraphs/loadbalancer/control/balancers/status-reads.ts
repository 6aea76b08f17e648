// Operating status of a load balancer's parts for the graph: read in batches, combined by model/operating-status.ts.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import {
  balancerStatus,
  isEnding,
  isFirstCreated,
  listenerStatus,
  memberStatus,
  poolStatus,
  type Verdict,
} from '../../rules/operating-status.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { NodeReads } from '../nodes/node-reads.ts';
import { type PartRow, type PoolTallies, talliesOf } from '../stores/part-store.ts';
import type { PartReads } from './part-reads.ts';

const byPool = Symbol('tallies by pool');
const none: PoolTallies = { members: [], checked: false };

export class StatusReads {
  readonly #db: Database;
  readonly #parts: PartReads;
  readonly #nodes: NodeReads;

  constructor(db: Database, parts: PartReads, nodes: NodeReads) {
    this.#db = db;
    this.#parts = parts;
    this.#nodes = nodes;
  }

  async ofBalancer(context: RequestContext, row: BalancerRow): Promise<Verdict> {
    const nodes = await this.#nodes.ofBalancer(context, row.id);
    const listeners = await this.#parts.children(context, 'Listener', row.id);
    return balancerStatus({
      enabled: row.enabled,
      isEnding: isEnding(row),
      isFirstCreated: isFirstCreated(row, nodes),
      listeners: await Promise.all(listeners.map((each) => this.#ofListener(context, each))),
      servingNodes: nodes.filter(({ state, operatingStatus }) => state === 'SERVING' && operatingStatus !== 'ERROR')
        .length,
      wantedNodes: row.wantedNodes,
    });
  }

  async ofPart(context: RequestContext, row: PartRow): Promise<Verdict> {
    switch (row.kind) {
      case 'PoolMember': {
        const { checked } = await this.#tallies(context, row.parentId);
        const seen = { enabled: isEnabled(row), draining: row.drainUntil !== null, status: row.operatingStatus };
        const status = memberStatus(seen, checked);
        return { status, reason: status === row.operatingStatus ? row.operatingReason : null };
      }
      case 'Pool':
        return this.#ofPool(context, row);
      case 'Listener':
        return this.#ofListener(context, row);
      default:
        return { status: isEnabled(row) ? 'ONLINE' : 'OFFLINE', reason: null };
    }
  }

  async #ofPool(context: RequestContext, row: PartRow): Promise<Verdict> {
    const { members, checked } = await this.#tallies(context, row.id);
    return poolStatus(isEnabled(row), members, checked);
  }

  async #ofListener(context: RequestContext, row: PartRow): Promise<Verdict> {
    const policies = (await this.#parts.children(context, 'L7Policy', row.id)).filter(isEnabled);
    const verdictOf = async (id: unknown) => {
      const pool = typeof id === 'string' ? await this.#parts.part(context, 'Pool', id) : null;
      return pool === null ? undefined : this.#ofPool(context, pool);
    };
    const others = await Promise.all(policies.map(({ spec }) => verdictOf(spec.redirectPool)));
    return listenerStatus({
      enabled: isEnabled(row),
      defaultPool: await verdictOf(row.spec.defaultPool),
      otherPools: others.filter((each) => each !== undefined),
      hasPolicies: policies.length > 0,
    });
  }

  async #tallies(context: RequestContext, poolId: string): Promise<PoolTallies> {
    return (await loader(context, byPool, poolId, (ids) => talliesOf(this.#db, ids))) ?? none;
  }
}

function isEnabled({ spec }: PartRow): boolean {
  return spec.enabled !== false;
}

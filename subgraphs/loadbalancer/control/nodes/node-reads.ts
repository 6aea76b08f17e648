// Batched reads of nodes for the graph. Shows only what the caller may see.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { nodesOf, readNodes } from './node-store.ts';

const byId = Symbol('nodes by id');
const byBalancer = Symbol('nodes by load balancer');

export class NodeReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async node(context: RequestContext, id: string): Promise<NodeRow | null> {
    const row = await loader(context, byId, id, (ids) => readNodes(this.#db, ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  async byGlobalId(context: RequestContext, globalId: string): Promise<NodeRow | null> {
    const id = decodeUuid('LoadBalancerNode', globalId);
    return id === undefined ? null : this.node(context, id);
  }

  /** Nodes of a load balancer that the caller may see, without deleted ones, oldest first. */
  async ofBalancer(context: RequestContext, balancerId: string): Promise<readonly NodeRow[]> {
    return (await loader(context, byBalancer, balancerId, (ids) => nodesOf(this.#db, ids))) ?? [];
  }

  /** The generation that all nodes in use have. 0 without nodes. */
  async appliedGeneration(context: RequestContext, balancerId: string): Promise<number> {
    const used = (await this.ofBalancer(context, balancerId)).filter(
      ({ state }) => state === 'SERVING' || state === 'BUILDING',
    );
    return used.length === 0 ? 0 : Math.min(...used.map(({ appliedGeneration }) => appliedGeneration));
  }
}

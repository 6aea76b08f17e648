// Nodes whose checks the policy of the control plane denies, for example because a management address is outside of `loadbalancer.managementRanges`. The
// reason is stored in the node's row. No status changes, so nothing is healed.
import type { Database } from '../../../../platform/database/database.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { lockBalancer } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { nodesUnderLock, noteUnchecked, readNodes } from './node-store.ts';

/** The host's report may have taken the place of the reason, so it is noted again. */
const againMs = 30_000;

export class UncheckedNodes {
  readonly #options: { readonly db: Database; readonly wake: Wake };
  readonly #noted = new Map<string, { readonly why: string; readonly atMs: number }>();

  constructor(options: { readonly db: Database; readonly wake: Wake }) {
    this.#options = options;
  }

  note(nodeId: string, why: string): void {
    const known = this.#noted.get(nodeId);
    const nowMs = performance.now();
    if (known?.why === why && nowMs - known.atMs < againMs) return;
    this.#noted.set(nodeId, { why, atMs: nowMs });
    // Without the database the next denied check tries again.
    this.#write(nodeId, why).catch(() => this.#noted.delete(nodeId));
  }

  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#noted.keys()) if (!ids.has(id)) this.#noted.delete(id);
  }

  async #write(nodeId: string, why: string): Promise<void> {
    const { db, wake } = this.#options;
    const balancerId = (await readNodes(db, [nodeId])).get(nodeId)?.loadBalancerId;
    if (balancerId === undefined) return;
    await db.transaction(async (tx) => {
      await lockBalancer(tx, balancerId);
      const node = (await nodesUnderLock(tx, balancerId)).find(({ id }) => id === nodeId);
      if (node !== undefined && (await noteUnchecked(tx, node, why)))
        await owe(tx, reconcileKind, balancerId, {}, wake);
    });
  }
}

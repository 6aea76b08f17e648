// The name of a load balancer in DNS, as the reconciler uses it.
import type { Transaction } from '../../../platform/database/database.ts';
import type { BalancerRow } from '../stores/balancer-store.ts';
import type { NameState } from './state.ts';

export interface Names {
  /** In the caller's transaction: these addresses and no others; at least one. */
  declare(tx: Transaction, balancer: BalancerRow, addresses: readonly string[]): Promise<void>;
  /** In the caller's transaction: the name is nobody's any more, once the servers have forgotten it. */
  withdraw(tx: Transaction, balancer: BalancerRow): Promise<void>;
  state(tx: Transaction, balancer: BalancerRow): Promise<NameState>;
}

/** Without names: whoever uses the addresses reads them from the graph. */
export const noNames: Names = {
  declare: async () => undefined,
  withdraw: async () => undefined,
  state: async () => ({ declared: false, published: true, error: null, ttlMs: 0 }),
};

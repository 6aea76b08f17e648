// The DNS name of a load balancer: reserved when it is created; the reconciler sets its addresses.
import type { Transaction } from '../../../../platform/database/database.ts';
import type { BalancerRow, NameState } from '../../rules/rows.ts';

export type NamedBalancer = Pick<BalancerRow, 'id' | 'projectId' | 'hostName'>;

export interface Names {
  /**
   * Call it in the transaction that creates the load balancer: claims the name, without addresses. Refuses NAME_TAKEN and FORBIDDEN for the
   * input's `name`.
   */
  reserve(tx: Transaction, balancer: NamedBalancer): Promise<void>;
  /** In the caller's transaction: sets exactly these addresses; at least one. */
  declare(tx: Transaction, balancer: BalancerRow, addresses: readonly string[]): Promise<void>;
  /** In the caller's transaction: releases the name, which then rests for its project. */
  withdraw(tx: Transaction, balancer: BalancerRow): Promise<void>;
  state(tx: Transaction, balancer: BalancerRow): Promise<NameState>;
}

/** Without DNS names: users read the addresses from the graph. */
export const noNames: Names = {
  reserve: async () => undefined,
  declare: async () => undefined,
  withdraw: async () => undefined,
  state: async () => ({ declared: false, published: true, error: null, ttlMs: 0 }),
};

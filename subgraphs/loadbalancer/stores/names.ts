// The name of a load balancer in DNS: reserved when it is created; the reconciler fills it.
import type { Transaction } from '../../../platform/database/database.ts';
import type { BalancerRow } from './balancer-store.ts';

export interface NameState {
  /** It is this load balancer's, with or without addresses. */
  readonly declared: boolean;
  /** All servers answer what was declared last. */
  readonly published: boolean;
  /** Why they do not; null: no reason is known. */
  readonly error: string | null;
  /** For how long others may remember an answer. */
  readonly ttlMs: number;
}

export type NamedBalancer = Pick<BalancerRow, 'id' | 'projectId' | 'hostName'>;

export interface Names {
  /** In the transaction that creates the load balancer: the name is its own, without addresses. Refuses NAME_TAKEN and FORBIDDEN for `name` of the input. */
  reserve(tx: Transaction, balancer: NamedBalancer): Promise<void>;
  /** In the caller's transaction: these addresses and no others; at least one. */
  declare(tx: Transaction, balancer: BalancerRow, addresses: readonly string[]): Promise<void>;
  /** In the caller's transaction: the name is nobody's any more, once the servers have forgotten it. */
  withdraw(tx: Transaction, balancer: BalancerRow): Promise<void>;
  state(tx: Transaction, balancer: BalancerRow): Promise<NameState>;
}

/** Without names: whoever uses the addresses reads them from the graph. */
export const noNames: Names = {
  reserve: async () => undefined,
  declare: async () => undefined,
  withdraw: async () => undefined,
  state: async () => ({ declared: false, published: true, error: null, ttlMs: 0 }),
};

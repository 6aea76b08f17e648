// Names of load balancers in dns/: declared in the transactions of their creation and of the reconciler, and published by a worker, which
// then wakes the reconciler.
import { isPublished } from '../../../dns/records/record-set.ts';
import { type Declaration, declareRecords, readRecordSet, withdrawRecords } from '../../../dns/records/record-store.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { BalancerRow } from './balancer-store.ts';
import { reconcileKind } from './change-balancer.ts';
import type { NamedBalancer, NameState, Names } from './names.ts';

export interface DnsNamesOptions {
  readonly wake: Wake;
  readonly ttlSeconds: number;
}

/** NAME.PROJECT.ZONE: neither NAME nor PROJECT has a dot, so no two load balancers have the same. */
function zoneName({ hostName }: NamedBalancer) {
  return { zone: hostName.split('.').slice(2).join('.'), name: hostName };
}

function ownerOf({ id }: NamedBalancer): string {
  return `loadbalancer/${id}`;
}

export function dnsNames({ wake, ttlSeconds }: DnsNamesOptions): Names {
  const declare = async (tx: Transaction, balancer: NamedBalancer, more: Pick<Declaration, 'records' | 'field'>) => {
    const followUp = { kind: reconcileKind, key: balancer.id };
    const wanted = { ...zoneName(balancer), owner: ownerOf(balancer), ttlSeconds, followUp, ...more };
    await declareRecords(tx, wake, wanted);
  };
  return {
    reserve: (tx, balancer) => declare(tx, balancer, { records: [], field: ['input', 'name'] }),
    declare: (tx, balancer: BalancerRow, addresses) => {
      const records = addresses.map((value) => ({ type: value.includes(':') ? 'AAAA' : 'A', value }) as const);
      return declare(tx, balancer, { records });
    },
    withdraw: (tx, balancer) => withdrawRecords(tx, wake, { ...zoneName(balancer), owner: ownerOf(balancer) }),
    async state(tx, balancer): Promise<NameState> {
      const ttlMs = ttlSeconds * 1_000;
      const set = await readRecordSet(tx, zoneName(balancer));
      if (set?.owner !== ownerOf(balancer)) return { declared: false, published: true, error: null, ttlMs };
      const error = set.error === null ? null : `${set.error.code}: ${set.error.message}`;
      return { declared: !set.withdrawn, published: isPublished(set), error, ttlMs };
    },
  };
}

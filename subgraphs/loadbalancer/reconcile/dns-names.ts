// Names of load balancers in dns/: declared in the reconciler's transaction, and published by a worker, which then wakes the reconciler.

import { isPublished } from '../../../dns/records/record-set.ts';
import { declareRecords, readRecordSet, withdrawRecords } from '../../../dns/records/record-store.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { BalancerRow } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import type { Names } from './names.ts';
import type { NameState } from './state.ts';

export interface DnsNamesOptions {
  readonly wake: Wake;
  readonly ttlSeconds: number;
}

type Named = Pick<BalancerRow, 'id' | 'hostName'>;

/** NAME.PROJECT.ZONE. */
function zoneName({ hostName }: Named) {
  return { zone: hostName.split('.').slice(2).join('.'), name: hostName };
}

function ownerOf({ id }: Named): string {
  return `loadbalancer/${id}`;
}

export function dnsNames({ wake, ttlSeconds }: DnsNamesOptions): Names {
  return {
    async declare(tx: Transaction, balancer: BalancerRow, addresses: readonly string[]): Promise<void> {
      const records = addresses.map((value) => ({ type: value.includes(':') ? 'AAAA' : 'A', value }) as const);
      const followUp = { kind: reconcileKind, key: balancer.id };
      const wanted = { ...zoneName(balancer), owner: ownerOf(balancer), records, ttlSeconds, followUp };
      await declareRecords(tx, wake, wanted);
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

// Names of load balancers in dns/: declared in the transactions of their creation and of the reconciler, and published by a worker, which
// then wakes the reconciler.
import { mayMakeName } from '../../../dns/backends/zone-service.ts';
import { zoneOfName } from '../../../dns/backends/zone-store.ts';
import { isPublished } from '../../../dns/records/record-set.ts';
import { type Declaration, declareRecords, readRecordSet, withdrawRecords } from '../../../dns/records/record-store.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
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

/** The rules that an administrator gave the closest zone above bind these names like any other. */
async function refuseWithoutRight(tx: Transaction, { hostName, projectId }: NamedBalancer): Promise<void> {
  const zone = await zoneOfName(tx, hostName);
  if (zone !== undefined && !mayMakeName(zone.rules, hostName, projectId))
    refuse(
      'FORBIDDEN',
      `this project may not make ${hostName} in the zone ${zone.name}: an administrator decides who may, with dnsZoneUpdate`,
      { field: ['input', 'name'] },
    );
}

export function dnsNames({ wake, ttlSeconds }: DnsNamesOptions): Names {
  const declare = async (tx: Transaction, balancer: NamedBalancer, more: Pick<Declaration, 'records' | 'field'>) => {
    const followUp = { kind: reconcileKind, key: balancer.id };
    const wanted = { ...zoneName(balancer), owner: ownerOf(balancer), ttlSeconds, followUp, ...more };
    await declareRecords(tx, wake, wanted);
  };
  return {
    reserve: async (tx, balancer) => {
      await refuseWithoutRight(tx, balancer);
      await declare(tx, balancer, { records: [], field: ['input', 'name'] });
    },
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

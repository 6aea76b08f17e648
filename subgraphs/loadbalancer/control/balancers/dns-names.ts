// Names of load balancers in dns/: declared in the transactions that create them and in those of the reconciler. A worker publishes them
// and then wakes the reconciler.
import { zoneOfName } from '../../../../dns/backends/zone-store.ts';
import { claimName, giveBackName } from '../../../../dns/ownership/name-claims.ts';
import { isWithin } from '../../../../dns/ownership/name-rules.ts';
import { isPublished } from '../../../../dns/records/record-set.ts';
import {
  type Declaration,
  declareRecords,
  readRecordSet,
  withdrawRecords,
} from '../../../../dns/records/record-store.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow, NameState } from '../../rules/rows.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import type { NamedBalancer, Names } from './names.ts';

export interface DnsNamesOptions {
  readonly wake: Wake;
  readonly ttlSeconds: number;
  /** Another project may get a deleted name after this time. */
  readonly nameRestMs: number;
}

/** NAME.PROJECT.ZONE: neither NAME nor PROJECT has a dot, so no two load balancers share a name. */
function zoneName({ hostName }: NamedBalancer) {
  return { zone: hostName.split('.').slice(2).join('.'), name: hostName };
}

function ownerOf({ id }: NamedBalancer): string {
  return `loadbalancer/${id}`;
}

/** An administrator's rules for the zone, or for a zone below it that contains the name, apply to these names like to any other. */
async function claim(tx: Transaction, balancer: NamedBalancer): Promise<void> {
  const { hostName, projectId } = balancer;
  const own = zoneName(balancer).zone;
  const closest = await zoneOfName(tx, hostName);
  const given = closest !== undefined && isWithin(closest.name, own) ? closest : undefined;
  const fault = await claimName(tx, {
    ...{ name: hostName, owner: ownerOf(balancer) },
    project: { id: projectId, name: hostName.split('.')[1] ?? '' },
    zone: {
      ...{ name: given?.name ?? own, rules: given?.rules ?? [] },
      ...{ hasOwnServers: false, nameServers: given?.spec.nameServers ?? [] },
    },
  });
  const field = { field: ['input', 'name'] };
  if (fault?.code === 'NO_RIGHT')
    refuse(
      'FORBIDDEN',
      `this project may not create ${hostName}: ${fault.message}; an administrator decides who may, with dnsZoneUpdate`,
      field,
    );
  if (fault !== undefined) refuse(fault.code, fault.message, field);
}

export function dnsNames({ wake, ttlSeconds, nameRestMs }: DnsNamesOptions): Names {
  const declare = async (tx: Transaction, balancer: NamedBalancer, more: Pick<Declaration, 'records' | 'field'>) => {
    const followUp = { kind: reconcileKind, key: balancer.id };
    const wanted = { ...zoneName(balancer), owner: ownerOf(balancer), ttlSeconds, followUp, ...more };
    await declareRecords(tx, wake, wanted);
  };
  return {
    reserve: async (tx, balancer) => {
      await claim(tx, balancer);
      await declare(tx, balancer, { records: [], field: ['input', 'name'] });
    },
    declare: (tx, balancer: BalancerRow, addresses) => {
      const records = addresses.map((value) => ({ type: value.includes(':') ? 'AAAA' : 'A', value }) as const);
      return declare(tx, balancer, { records });
    },
    async withdraw(tx, balancer) {
      await withdrawRecords(tx, wake, { ...zoneName(balancer), owner: ownerOf(balancer) });
      await giveBackName(tx, { name: balancer.hostName, owner: ownerOf(balancer) }, nameRestMs);
    },
    async state(tx, balancer): Promise<NameState> {
      const ttlMs = ttlSeconds * 1_000;
      const set = await readRecordSet(tx, zoneName(balancer));
      if (set?.owner !== ownerOf(balancer)) return { declared: false, published: true, error: null, ttlMs };
      const { error: last } = set;
      const error = last && { message: `${last.code}: ${last.message}`, since: last.since };
      return { declared: !set.withdrawn, published: isPublished(set), error, ttlMs };
    },
  };
}

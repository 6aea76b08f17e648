// Names that a backend without policies can't serve. They are refused when the name, its pools or their members are created or
// changed. Only the configuration decides, never the current state of members.
import { nameFault } from '../../../../dns/names.ts';
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import { staticFault } from '../../../../dns/policy/static-answer.ts';
import { type BackendType, unsupported } from '../../../../dns/records/backend-types.ts';
import type { NameRecord } from '../../../../dns/records/record-set.ts';
import { mostRecords } from '../../../../dns/records/record-store.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { namePlan } from '../../rules/name-plan.ts';
import type { GslbSpec } from '../../spec/specs.ts';
import { isAnswered, readZonesNamed } from '../stores/zone-store.ts';
import { readEntities } from './entity-store.ts';
import { type CheckedPool, checkedPools } from './name-check-store.ts';
import { namesUsing, poolUses } from './use-store.ts';

interface StaticName {
  readonly fqdn: string;
  readonly zone: string;
  readonly type: BackendType;
  readonly spec: GslbSpec;
  readonly pools: readonly CheckedPool[];
}

interface StaticFault {
  /** Field of the input that creates the name. */
  readonly field: 'fqdn' | 'poolIds' | 'policy' | 'ttlSeconds' | 'degradedTtlSeconds';
  readonly message: string;
}

export function staticFaults({ fqdn, zone, type, spec, pools }: StaticName): readonly StaticFault[] {
  const faults: StaticFault[] = [];
  const add = (field: StaticFault['field'], message: string) => faults.push({ field, message });
  if (fqdn === zone) add('fqdn', `fqdn is ${fqdn}, the zone itself: its backend publishes names below it`);
  else {
    const wrong = nameFault(zone, fqdn);
    if (wrong !== undefined) add('fqdn', wrong);
  }
  for (const field of ['ttlSeconds', 'degradedTtlSeconds'] as const)
    if (spec[field] === 0) add(field, `${field} is 0; the backend of the zone takes 1 and more`);
  const missing = unsupported(type, { zone, name: fqdn, records: recordsOf(pools) });
  if (missing !== undefined) add('poolIds', missing);
  const regional = pools.find((pool) => pool.spec.scope === 'REGION');
  if (regional !== undefined)
    add('poolIds', `the pool ${regional.name} has scope REGION: the backend answers all clients alike`);
  const most = mostAnswered(spec, pools);
  if (most > mostRecords)
    add('poolIds', `up to ${most} addresses would be answered; the backend of the zone takes ${mostRecords} of a name`);
  const fault = staticFault(planBefore({ fqdn, spec, pools }));
  if (fault !== undefined) add('policy', `the backend of the zone can't answer this: ${fault}`);
  return faults;
}

/** The name's plan before any verdict. */
export function planBefore({ fqdn, spec, pools }: Pick<StaticName, 'fqdn' | 'spec' | 'pools'>): NamePlan {
  return namePlan({
    gslb: { ...spec, id: 'new', version: 0, fqdn, steps: spec.policy.steps, clientMapId: null },
    pools: pools.map(({ id, spec: { minUp } }) => ({ id, minUp })),
    members: pools.flatMap(({ id: poolId, members }) =>
      members.map((member) => ({ ...member.spec, id: member.id, poolId, latencyMs: {}, lastUpAt: null })),
    ),
    standings: new Map(),
  });
}

function recordsOf(pools: readonly CheckedPool[]): readonly NameRecord[] {
  return pools.flatMap(({ members }) =>
    members.flatMap(({ spec: { addresses, cname } }): NameRecord[] => [
      ...addresses.map((value): NameRecord => ({ type: value.includes(':') ? 'AAAA' : 'A', value })),
      ...(cname === null ? [] : [{ type: 'CNAME' as const, value: cname }]),
    ]),
  );
}

/** Addresses of the largest pool, up to the number of members that the policy answers. */
function mostAnswered({ policy }: GslbSpec, pools: readonly CheckedPool[]): number {
  const cut = Math.min(...policy.steps.flatMap((step) => (step.step === 'FIRST' ? [step.count] : [])));
  const sizes = pools.map(({ members }) =>
    members
      .map(({ spec }) => spec.addresses.length)
      .sort((one, other) => other - one)
      .slice(0, Number.isFinite(cut) ? cut : undefined)
      .reduce((sum, size) => sum + size, 0),
  );
  return Math.max(0, ...sizes);
}

/** Refuses with NOT_SUPPORTED a change of pools, already written, after which a backend could not serve one of its names. */
export async function refuseUnsaid(tx: Transaction, poolIds: readonly string[], field: string): Promise<void> {
  const names = [...(await readEntities(tx, 'Gslb', await namesUsing(tx, poolIds))).values()];
  const zones = await readZonesNamed(tx, [...new Set(names.map(({ zone }) => zone))]);
  for (const { id, fqdn, zone, spec } of names) {
    const row = zones.get(zone);
    if (row === undefined || isAnswered(row)) continue;
    const used = (await poolUses(tx, [id])).map(({ poolId }) => poolId);
    const pools = [...(await checkedPools(tx, used)).values()];
    const [fault] = staticFaults({ fqdn, zone, type: row.backendType, spec, pools });
    if (fault !== undefined)
      refuse('NOT_SUPPORTED', `the GSLB ${fqdn} could not be answered any more: ${fault.message}`, {
        field: ['input', field],
      });
  }
}

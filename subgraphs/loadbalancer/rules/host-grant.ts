// The resources of a host for nodes: what administrators gave it, narrowed by its own report. A host that contradicts its record has
// nothing.
import type { HostRecord } from '../../../platform/machines/host-record.ts';
import { commonBlock } from '../../../platform/net/address-block.ts';
import type { HostPresence } from './states.ts';

/** A host's report about itself when it connects. */
export interface HostClaim extends HostRecord {
  readonly managementRange: string;
  readonly tunnelAddress: string | null;
  /** Why its nodes are not fully confined and limited. Null if they are. */
  readonly confinementFault: string | null;
}

export interface HostGrant {
  readonly publicRange: string;
  readonly managementRange: string;
  readonly maxNodes: number;
}

interface KnownHost {
  readonly name: string;
  readonly presence: HostPresence;
  readonly cordoned: boolean;
  readonly removing: boolean;
  readonly claim: HostClaim;
  /** Null if administrators have given it nothing yet. */
  readonly record: HostRecord | null;
}

/** Undefined if it has nothing. */
export function grantOf({ claim, record }: Pick<KnownHost, 'claim' | 'record'>): HostGrant | undefined {
  const narrowed = record === null ? undefined : narrow(record, claim);
  return typeof narrowed === 'string' ? undefined : narrowed;
}

/** Why a host gets no new nodes, and what to do. Null if it may get some. */
export function whyNoNodes({ name, presence, cordoned, removing, claim, record }: KnownHost): string | null {
  if (removing) return 'it is being removed';
  if (record === null)
    return `its record has no networks and no room: give it both with tidegate hosts set ${name} --public-range CIDR --nodes COUNT (loadBalancerHostUpdate)`;
  const narrowed = narrow(record, claim);
  if (typeof narrowed === 'string')
    return `${narrowed}: correct its settings, or its record with tidegate hosts set ${name} (loadBalancerHostUpdate)`;
  if (cordoned)
    return `it is cordoned, as every new host is: let it have nodes with tidegate hosts release ${name} (loadBalancerHostCordonLift)`;
  return presence === 'ABSENT' ? 'it has no connection' : null;
}

/** Returns a text that describes a contradiction with the record. */
function narrow(record: HostRecord, claim: HostClaim): HostGrant | string {
  const differ = (field: string, own: string | number, given: string | number | null) =>
    `it reports the ${field} ${own}, and its record has ${given ?? 'none'}`;
  if (claim.provider !== record.provider) return differ('provider', claim.provider, record.provider);
  if (claim.site !== null && claim.site !== record.site) return differ('site', claim.site, record.site);
  if (claim.healthPort !== record.healthPort) return differ('health port', claim.healthPort, record.healthPort);
  const publicRange = commonBlock(record.publicRange, claim.publicRange);
  if (publicRange === undefined) return differ('public range', claim.publicRange, record.publicRange);
  const management = record.managementRange ?? record.publicRange;
  const managementRange = commonBlock(management, claim.managementRange);
  if (managementRange === undefined) return differ('management range', claim.managementRange, management);
  return { publicRange, managementRange, maxNodes: Math.min(record.maxNodes, claim.maxNodes) };
}

// The settings of GSLB entities as they are stored, one JSON column each. Services check and write them. The conductor, checkers' targets and plans
// are derived from them. All fields are present, null where nothing is set.

import type { NameKind } from '../../../dns/ownership/name-rules.ts';
import type { MemberPlan, PolicyStep } from '../../../dns/policy/plan.ts';
import type { Preset } from '../../../dns/policy/presets.ts';
import type { BackendType } from '../../../dns/records/backend-types.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Failback } from '../rules/failback.ts';
import type { NoneUpRow } from '../rules/name-plan.ts';
import { majorityRule, type QuorumRule, type Share } from '../rules/quorum.ts';

export const monitorTypes = [
  ...(['TCP', 'UDP', 'ICMP', 'HTTP', 'HTTPS', 'SSH', 'GRPC', 'DNS', 'EXEC'] as const),
  ...(['LOADBALANCER', 'NEUTRON_LBAAS_V2', 'NEUTRON_PORT', 'PLUGIN'] as const),
] as const;
export type MonitorType = (typeof monitorTypes)[number];

export interface MonitorSpec {
  readonly description: string;
  readonly type: MonitorType;
  /** PLUGIN: the name of a deployer's own check plugin. */
  readonly plugin?: string | null;
  /** Host to check instead of the member's own address. Null for the member's own. */
  readonly targetHost: string | null;
  readonly targetPort: number | null;
  readonly delayMs: number;
  readonly timeoutMs: number;
  /** Number of consecutive failures that change a vantage point's verdict. */
  readonly failures: number;
  readonly successes: number;
  /** Valid for the type's JSON Schema. */
  readonly parameters: JsonObject;
  /** The check type for which they were given. */
  readonly parametersFor?: string | null;
  /**
   * Host names, addresses and blocks to which the credentials may be sent. Empty if there are none, or if `parameters` decide
   * where they go.
   */
  readonly authHosts?: readonly string[];
}

/** Credentials that a monitor's checks present. Stored encrypted. */
export interface MonitorSecret {
  readonly username: string | null;
  readonly password: string | null;
  readonly token: string | null;
}

const memberTypes = ['IP', 'FQDN', 'LOADBALANCER', 'NEUTRON_LBAAS_V2', 'NEUTRON_PORT'] as const;
type MemberType = (typeof memberTypes)[number];

export interface MemberSpec {
  readonly description: string;
  readonly type: MemberType;
  /** IP: as given. LOADBALANCER: followed. FQDN: none. */
  readonly addresses: readonly string[];
  /** FQDN: the name that is answered and checked, without a final dot. */
  readonly cname: string | null;
  /** LOADBALANCER: its global id. */
  readonly loadBalancerId: string | null;
  /** NEUTRON_LBAAS_V2, NEUTRON_PORT: the UUID that OpenStack gave it. */
  readonly neutronId?: string | null;
  /** Port that monitors connect to. Null for the monitor's port. */
  readonly port: number | null;
  readonly region: string | null;
  readonly weight: number;
  readonly priority: number;
  readonly place: MemberPlan['place'];
  /** Override the parameters of its monitors. */
  readonly parameters: JsonObject;
  /** The check type for which they were given. */
  readonly parametersFor?: string | null;
}

/** Omitted fields mean a majority of all vantage points. */
export interface QuorumSpec {
  readonly downAtLeast?: Share | null;
  readonly upAtLeast?: Share | null;
  readonly leastVoters?: number | null;
  readonly leastRegions?: number | null;
  /** Default: three times the longest delay of the monitors, at least `leastFreshMs`. */
  readonly freshMs?: number | null;
}

type Scope = 'ALL' | 'REGION';

/** The rules for members belong to the pool, because names share pools, and a member has one verdict. */
export interface PoolSpec {
  readonly description: string;
  readonly minUp: number;
  readonly quorum: QuorumSpec;
  /** REGION: each region's vantage points judge for its clients. */
  readonly scope: Scope;
  readonly failback: Failback;
}

export interface PolicySpec {
  /** CUSTOM: the steps as given. */
  readonly preset: Preset | 'CUSTOM';
  readonly steps: readonly PolicyStep[];
}

export interface GslbSpec {
  readonly description: string;
  readonly policy: PolicySpec;
  readonly ttlSeconds: number;
  readonly degradedTtlSeconds: number | null;
  readonly noneUp: NoneUpRow;
  /** Client address blocks and their regions, for the step GEO by CIDR. Empty for none. */
  readonly clientBlocks: readonly { readonly cidr: string; readonly region: string }[];
}

export interface FlavorSpec {
  readonly description: string;
  /** UUID of a DNS backend. Null for our own name servers. */
  readonly backend: string | null;
  readonly backendType: BackendType;
  /** Presets that names may use, and CUSTOM. Empty for all. */
  readonly policies: readonly (Preset | 'CUSTOM')[];
  /** Names of the vantage points that check members. Empty for all. */
  readonly vantagePoints: readonly string[];
  readonly shortestDelayMs: number;
  readonly shortestTtlSeconds: number;
  readonly longestTtlSeconds: number;
  /** Null for as many as the project's quota allows. */
  readonly mostNames: number | null;
  /** Limit for one name, over all its pools. */
  readonly mostMembers: number;
}

export interface VantagePointSpec {
  readonly description: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Targets that it may check, within the limits of the egress policy. Empty for all. */
  readonly allowedBlocks: readonly string[];
  readonly deniedBlocks: readonly string[];
  /** Places that it must reach to avoid abstaining. */
  readonly beacons: readonly { readonly host: string; readonly port: number }[];
}

/** Rights to create names in a zone. */
export interface ZoneSpec {
  readonly description: string;
  readonly rights: readonly {
    /** End of the names: the zone, or a name in it. */
    readonly suffix: string;
    /** UUID. Null for every project, below PROJECT.SUFFIX. */
    readonly projectId: string | null;
    readonly allows?: readonly NameKind[];
  }[];
  /** Settings for a backend that creates zones. */
  readonly nameServers: readonly string[];
  readonly signed: boolean;
  /** ADDRESS:PORT. */
  readonly secondaries: readonly string[];
}

export type { NoneUpRow };

/** Minimum time that votes stay fresh: several heartbeats of a checker. */
export const leastFreshMs = 5_000;

/** The rule of a pool for so many vantage points. */
export function quorumRule(
  { downAtLeast, upAtLeast, leastVoters, leastRegions, freshMs }: QuorumSpec,
  vantagePoints: number,
  longestDelayMs: number,
): QuorumRule {
  const usual = majorityRule(vantagePoints, freshMs ?? Math.max(3 * longestDelayMs, leastFreshMs));
  return {
    downAtLeast: downAtLeast ?? usual.downAtLeast,
    upAtLeast: upAtLeast ?? usual.upAtLeast,
    leastVoters: leastVoters ?? usual.leastVoters,
    leastRegions: leastRegions ?? 1,
    freshMs: usual.freshMs,
  };
}

// The states of load balancers, their parts, nodes and hosts, as the graph and the tables have them.

export const provisioningStatuses = ['PENDING', 'ACTIVE', 'ERROR', 'DELETING', 'DELETED'] as const;
export type ProvisioningStatus = (typeof provisioningStatuses)[number];

/** Octavia's, and UNKNOWN. */
export const operatingStatuses = [
  'ONLINE',
  'DEGRADED',
  'DRAINING',
  'OFFLINE',
  'ERROR',
  'NO_MONITOR',
  'UNKNOWN',
] as const;
export type OperatingStatus = (typeof operatingStatuses)[number];

export const nodeStates = ['BUILDING', 'SERVING', 'DRAINING', 'REPLACED', 'DELETING', 'DELETED'] as const;
export type NodeState = (typeof nodeStates)[number];

export const decisionKinds = ['REPLACE', 'TAKE_BACK', 'DELETE'] as const;
export type DecisionKind = (typeof decisionKinds)[number];

export const hostPresences = ['PRESENT', 'ABSENT'] as const;
export type HostPresence = (typeof hostPresences)[number];

const topologies = ['SPREAD', 'ACTIVE_STANDBY'] as const;
export type Topology = (typeof topologies)[number];

export const quotaKinds = [
  'LOAD_BALANCERS',
  'LISTENERS',
  'POOLS',
  'MEMBERS',
  'L7_POLICIES',
  'NODES',
  'CERTIFICATES',
  'SUBNETS',
] as const;
export type QuotaKind = (typeof quotaKinds)[number];

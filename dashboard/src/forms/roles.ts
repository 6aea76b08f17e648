// The role that each creation needs, for buttons on pages that do not load the registry of kinds. A test compares the two; the server decides.

/** By type of the kind. */
export const creatorRoles = {
  ...{ Backend: 'OPERATOR', LoadBalancer: 'MEMBER', Listener: 'MEMBER', Pool: 'MEMBER', PoolMember: 'MEMBER' },
  ...{ Gslb: 'MEMBER', GslbPool: 'MEMBER', GslbMonitor: 'MEMBER', GslbPoolMember: 'MEMBER', DnsZone: 'ADMINISTRATOR' },
  ...{ ObjectCluster: 'ADMINISTRATOR', ObjectOption: 'ADMINISTRATOR', ObjectContainer: 'OPERATOR' },
  ...{ ObjectAccessKey: 'OPERATOR', Machine: 'ADMINISTRATOR', LoadBalancerHost: 'ADMINISTRATOR' },
  ...{ User: 'ADMINISTRATOR', Project: 'ADMINISTRATOR', Membership: 'ADMINISTRATOR', ApiToken: 'OPERATOR' },
  ...{ AlertRule: 'MEMBER', AlertChannel: 'OPERATOR' },
} as const;

/** How objects end that can't be changed. */
export const onlyEnds: Readonly<Partial<Record<CreatableKind, string>>> = {
  ...{ Machine: 'Revoke', ObjectContainer: 'Delete', ObjectAccessKey: 'Revoke', ApiToken: 'Revoke' },
};

export type CreatableKind = keyof typeof creatorRoles;

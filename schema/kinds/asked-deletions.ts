// Kinds whose objects serve traffic: their deletion asks a person for the name. Nothing here needs Node.
const types = ['Backend', 'DnsZone', 'Gslb', 'LoadBalancer'] as const;

export type AskedType = (typeof types)[number];

/** By type in the graph. */
export const askedDeletions: ReadonlySet<string> = new Set(types);

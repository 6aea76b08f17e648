// The keys of a cluster in etcd, and the form of their values.

import { z } from 'zod';

export interface HaKeys {
  readonly prefix: string;
  readonly leader: string;
  readonly sync: string;
  readonly report: (host: string) => string;
}

export function haKeys(cluster: string): HaKeys {
  const prefix = `/tidegate/ha/${cluster}/`;
  return {
    prefix,
    leader: `${prefix}leader`,
    sync: `${prefix}sync`,
    report: (host) => `${prefix}hosts/${host}`,
  };
}

export const leaderValue = z.object({ host: z.string(), reign: z.string() });

export const syncValue = z.object({
  primary: z.string(),
  epoch: z.number().int(),
  reign: z.string(),
  members: z.array(z.object({ host: z.string(), incarnation: z.string() })).max(1),
});

/** `said` counts, so that a report that says the same again is seen to be new. */
export const reportValue = z.object({
  said: z.string(),
  incarnation: z.string(),
  reign: z.string().optional(),
  receiving: z.boolean(),
  received: z.number().int(),
});

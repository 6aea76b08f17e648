// What goes over the link between a name server of ours (role dns) and the conductor. Plans and their changes are read by
// dns/policy/plan-schema.ts.
//
// - Documents: key `zone/NAME`, the whole ZonePlan with its private keys; its generation is the plan's. The link's message has a bound
//   (platform/link/messages.ts), and so has a zone.
// - Changes: the same key, a ZoneChange. One that does not follow what the server has, or has a fault, is answered by `resend`.
// - `gone`: the zone is answered no more. A server in doubt keeps a zone: the conductor sends it for each held zone that is not there.
// - `whole`: all that was committed before is sent. The conductor says it first when the server has all, and again each `wholeEveryMs` in
//   which it read the database and sent what it found. So the age of answers is the time since the last one, also while the conductor's
//   own database is away.
// - Reports: key `state`, a NameServerState each `stateEveryMs` and at each change.
import { isIP } from 'node:net';
import { z } from 'zod';
import { planBounds } from '../../../dns/policy/plan-schema.ts';

/** Of the machines that are name servers, and of those that they connect to. */
export const nameServerRole = 'dns';
export const conductorRole = 'gslb';

export const wholeEveryMs = 1_000;
export const stateEveryMs = 1_000;
/** Of one name server. */
export const mostZones = 1_000;
/** A key of the link has at most 255 characters. */
export const longestZone = 250;

export const stateKey = 'state';
const zonePrefix = 'zone/';

/** `zone`: absolute, in lower case. */
export function zoneKey(zone: string): string {
  return `${zonePrefix}${zone}`;
}

/** Undefined: the key is no zone's. */
export function zoneOfKey(key: string): string | undefined {
  return key.startsWith(zonePrefix) && key.length > zonePrefix.length ? key.slice(zonePrefix.length) : undefined;
}

const count = z.number().int().nonnegative();
const zoneName = z.string().min(1).max(longestZone);
const generations = z
  .record(zoneName, count)
  .refine((zones) => Object.keys(zones).length <= mostZones, `more than ${mostZones} zones`);
const address = z
  .string()
  .max(45)
  .refine((text) => isIP(text) !== 0, 'not an address');

/** What a name server is and has, in its hello. */
export const nameServerFacts = z.object({
  /** Of the process; its NSID (RFC 5001). */
  name: z.string().min(1).max(63),
  /** Where it listens, over UDP and TCP. */
  addresses: z
    .array(z.object({ address, port: count.max(65_535) }))
    .min(1)
    .max(planBounds.nameServers),
  zones: generations,
  /** Of the program. */
  version: z.string().min(1).max(63),
});
export type NameServerFacts = z.output<typeof nameServerFacts>;

export const nameServerState = z.object({
  /** The generation that it answers with. */
  zones: generations,
  /** Plans and changes that it refused since: the zone's answers are those before. */
  refused: z
    .record(zoneName, z.object({ generation: count, why: z.string().max(255) }))
    .refine((zones) => Object.keys(zones).length <= mostZones, `more than ${mostZones} zones`),
  /** Since the last `whole`, by its own clock; null: never. No clock of a name server is believed: it is for people. */
  heardAgoMs: count.nullable(),
  /** Since its start. */
  queries: count,
  connections: count,
});
export type NameServerState = z.output<typeof nameServerState>;

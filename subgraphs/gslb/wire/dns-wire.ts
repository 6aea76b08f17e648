// Messages between one of our name servers (role dns) and the conductor. dns/policy/plan-schema.ts reads plans and their changes.
//
// - Documents: key `zone/NAME`, the whole ZonePlan with its private keys, at the plan's position. The size of a link message is limited
//   (platform/link/messages.ts), and so is the size of a zone.
// - Documents: key `map/ID`, the blocks of clients of a map that is an object of its own, before the first zone that refers to it. The
//   ID is their digest, so a map never changes. Only to servers that hold `maps`; others get all maps in the zone's head. After `whole`
//   a server drops the maps that none of its zones refers to. It answers `resend` for each that it dropped, and for one that it lacks,
//   with its zone: the map comes again before the next zone that refers to it.
// - Changes: the same key, a ZoneChange. The server answers `resend` if a change does not follow its position or has a fault.
// - `gone`: the zone is no longer answered. A server in doubt keeps a zone, so the conductor sends this for each zone the server has that
//   does not exist.
// - `whole`: everything committed before has been sent. The conductor first sends it when the server has everything, and then every
//   `wholeEveryMs` after it read the database and sent the changes. So the age of answers is the time since the last `whole`, also while
//   the conductor's own database is unavailable.
// - Reports: key `state`, a NameServerState every `stateEveryMs` and at each change.
import { isIP } from 'node:net';
import { z } from 'zod';
import { planBounds } from '../../../dns/policy/plan-schema.ts';
import { type Position, positionShape } from '../../../platform/values/positions.ts';

/** Common role of machines that are name servers and of the processes that they connect to. */
export const nameServerRole = 'dns';
export const conductorRole = 'gslb';

export const wholeEveryMs = 1_000;
export const stateEveryMs = 1_000;
/** Limit of one name server. */
export const mostZones = 1_000;
/** A key of the link has at most 255 characters. */
export const longestZone = 250;

export const stateKey = 'state';
const zonePrefix = 'zone/';

/** `zone`: absolute, in lower case. */
export function zoneKey(zone: string): string {
  return `${zonePrefix}${zone}`;
}

/** Undefined if the key is not a zone's. */
export function zoneOfKey(key: string): string | undefined {
  return key.startsWith(zonePrefix) && key.length > zonePrefix.length ? key.slice(zonePrefix.length) : undefined;
}

/**
 * A server that accepts maps as documents reports one with this key. The other end ignores unknown keys, but would refuse unknown facts.
 */
export const mapsKey = 'maps';
const mapPrefix = 'map/';
/** Position of all maps: their key depends on their content. */
export const mapPosition: Position = { history: '00000000-0000-0000-0000-000000000000', number: 0 };
/** Limit of one name server. */
export const mostMaps = 20_000;

export function mapKey(mapId: string): string {
  return `${mapPrefix}${mapId}`;
}

/** Undefined if the key is not a map's. */
export function mapOfKey(key: string): string | undefined {
  return key.startsWith(mapPrefix) ? key.slice(mapPrefix.length) : undefined;
}

const count = z.number().int().nonnegative();
const zoneName = z.string().min(1).max(longestZone);
const isBounded = (zones: object) => Object.keys(zones).length <= mostZones;
const tooMany = `more than ${mostZones} zones`;
const address = z
  .string()
  .max(45)
  .refine((text) => isIP(text) !== 0, 'not an address');

/** Facts about a name server, in its hello. */
export const nameServerFacts = z.strictObject({
  /** Name of the process, and its NSID (RFC 5001). */
  name: z.string().min(1).max(63),
  /** Addresses where it listens over UDP and TCP. */
  addresses: z
    .array(z.object({ address, port: count.max(65_535) }))
    .min(1)
    .max(planBounds.nameServers),
  /** The positions that it answers with, and the serial of each SOA record. */
  zones: z
    .record(zoneName, z.strictObject({ position: positionShape, serial: count.max(2 ** 32 - 1) }))
    .refine(isBounded, tooMany),
  /** Version of the program. */
  version: z.string().min(1).max(63),
});
export type NameServerFacts = z.output<typeof nameServerFacts>;

export const nameServerState = z.strictObject({
  /** The positions that it answers with. */
  zones: z.record(zoneName, positionShape).refine(isBounded, tooMany),
  /** Plans and changes that it refused since: the zone's answers are those before. */
  refused: z
    .record(zoneName, z.strictObject({ position: positionShape, why: z.string().max(255) }))
    .refine(isBounded, tooMany),
  /**
   * Time since the last `whole`, by the server's own clock. Null for never. For people only, because no clock of a name server is
   * trusted.
   */
  heardAgoMs: count.nullable(),
  /** Count since its start. */
  queries: count,
  connections: count,
});
export type NameServerState = z.output<typeof nameServerState>;

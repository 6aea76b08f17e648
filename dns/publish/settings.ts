// The settings of dns: the servers that hold the zones.
import { z } from 'zod';
import type { SettingsOf } from '../../platform/process/config.ts';
import { placeOf, type ServerPlace } from '../servers/transport.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const server = z.string().transform((text, context): ServerPlace => {
  const place = placeOf(text.trim());
  if (place !== undefined) return place;
  context.addIssue({ code: 'custom', message: `${text} is not ADDRESS:PORT, for example 192.0.2.53:53` });
  return z.NEVER;
});
const servers = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(',').filter((each) => each.trim() !== ''))])
  .pipe(z.array(server).max(8));

const reservedName = z
  .string()
  .regex(
    /^(?=.{3,240}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/,
    'not a host name in lower case, without a dot at the end',
  );

export const dnsSettings = {
  'dns.servers': servers
    .default([])
    .describe(
      'DNS servers, separated by commas, that accept updates (RFC 2136) of the zones in which Tidegate publishes names: ADDRESS:PORT, [ADDRESS]:PORT with IPv6; at most 8. With several, each gets every update, and a name is published when all have it. Default: none, so that names are not published',
    ),
  'dns.tsigKeyFile': z
    .string()
    .min(1)
    .optional()
    .describe(
      'file with the key of the servers, as "tsig-keygen -a hmac-sha256 NAME" writes it; only its owner may read it; needed with dns.servers',
    ),
  'dns.privateServer': server
    .optional()
    .describe(
      'ADDRESS:PORT at which "npm start" runs a private PowerDNS with the zones of the subgraphs, and publishes names there, in place of dns.servers; default: none',
    ),
  'dns.hostsPort': count(1, 65_535)
    .optional()
    .describe(
      'port of the name server that the agent of each data host runs (ha.nameServerPort there): names are published at the server of the primary only, instead of dns.servers, with the key in dns.tsigKeyFile; default: with ha.dataFolder, and without dns.servers, both come from the agent of this host',
    ),
  'dns.nameRestMs': count(0, 2_592_000_000)
    .default(86_400_000)
    .describe(
      'time before another project can get a deleted name, because resolvers and clients may remember it; its own project can use it again immediately',
    ),
  'dns.reservedNames': z
    .union([z.array(z.string()), z.string().transform((text) => text.split(',').map((each) => each.trim()))])
    .pipe(z.array(reservedName).max(100))
    .default([])
    .describe(
      'names of the installation itself, separated by commas, such as the name of its endpoint; at most 100. No project can create them, or names above or below them. ha.dnsName is always one of them',
    ),
  'dns.timeoutMs': count(100, 10_000).default(2_000).describe('time for an answer of a DNS server'),
  'dns.lookIntervalMs': count(1_000, 3_600_000)
    .default(60_000)
    .describe('interval between two checks of the answers of servers; differences are published again'),
} as const;

export type DnsSettings = SettingsOf<typeof dnsSettings>;

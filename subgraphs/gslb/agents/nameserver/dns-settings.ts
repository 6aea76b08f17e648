// Settings of the role dns, our own name server.
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Place } from '../../../../dns/answerer/net/listener.ts';
import { usualLimit } from '../../../../dns/answerer/reply/rate-limiter.ts';

const linkUrl = z.url({ protocol: /^wss$/ });
const path = z.string().min(1);

const place = z.string().transform((text, context): Place => {
  const [, six, four, digits] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text.trim()) ?? [];
  const address = six ?? four ?? '';
  const port = Number(digits);
  if (isIP(address) === (six === undefined ? 4 : 6) && port <= 65_535) return { address, port };
  context.addIssue({ code: 'custom', message: `${text} is not ADDRESS:PORT, for example 192.0.2.53:53` });
  return z.NEVER;
});

function list<Each extends z.ZodType<unknown, string>>(each: Each) {
  const words = z.string().transform((text) => text.split(',').map((word) => word.trim()));
  return z
    .union([z.array(z.string()), words])
    .pipe(z.array(each).max(16))
    .default([]);
}

function rate(usual: number) {
  return z.coerce.number().int().min(1).max(1_000_000).default(usual);
}

export const nameServerSettings = {
  'nameserver.controlUrls': list(linkUrl).describe(
    'role dns: wss://HOST:PORT/link of the processes with the role gslb (gslb.dnsPort), separated by commas; tried in turn',
  ),
  'nameserver.listen': list(place).describe(
    'role dns: addresses where it answers, over UDP and TCP, separated by commas: ADDRESS:PORT, [ADDRESS]:PORT with IPv6; port 0 takes a free one',
  ),
  'nameserver.folder': path
    .default('/var/lib/tidegate/nameserver')
    .describe(
      'role dns: folder of its zones, which only its user may access; it answers from them when it starts without the control plane',
    ),
  'nameserver.geoFile': path
    .optional()
    .describe(
      "roles dns and gslb (which explains answers): file in MaxMind's format (GeoLite2-City, DB-IP and others) with the locations of clients; a new file is used within a minute; default: no locations",
    ),
  'nameserver.answersPerSecond': rate(usualLimit.answersPerSecond).describe(
    'role dns: equal answers per second over UDP to one network (an IPv4 /24, an IPv6 /56) without a DNS cookie; beyond it, every second answer is truncated and the others are dropped',
  ),
  'nameserver.totalPerSecond': rate(usualLimit.totalPerSecond).describe('role dns: the same for all answers together'),
  'nameserver.amplification': z.coerce
    .number()
    .min(3)
    .max(100)
    .default(usualLimit.amplification)
    .describe(
      'role dns: maximum size of an answer over UDP without a valid DNS cookie, in multiples of its question; a larger one is truncated',
    ),
} as const;

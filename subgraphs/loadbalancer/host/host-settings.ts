// Settings of the role lbhost.
import { isIP } from 'node:net';
import { z } from 'zod';
import { blockBytes } from '../../../platform/net/address-block.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const path = z.string().min(1);
const block = z.string().refine((text) => {
  const read = blockBytes(text);
  return read !== undefined && read.bytes.length * 8 - read.prefix >= 2;
}, 'not a CIDR block of four addresses or more');
const linkUrl = z.url({ protocol: /^wss$/ });

/** Unix sockets of nodes are in it, whose paths have at most 107 characters. */
const longestFolder = 60;

export const hostSettings = {
  'lbhost.controlUrls': z
    .union([z.array(z.string()), z.string().transform((text) => text.split(',').map((each) => each.trim()))])
    .pipe(z.array(linkUrl).max(16))
    .default([])
    .describe(
      'role lbhost: wss://HOST:PORT/link of the processes with the role loadbalancer (loadbalancer.linkPort), separated by commas; tried in turn',
    ),
  'lbhost.folder': path
    .max(longestFolder)
    .default('/var/lib/tidegate/lbhost')
    .describe(
      `role lbhost: folder of the documents and files of its nodes, for its user alone; at most ${longestFolder} characters`,
    ),
  'lbhost.provider': z
    .enum(['netns', 'loopback'])
    .default('netns')
    .describe(
      'role lbhost: where nodes live: netns: each in a network namespace, which needs root; loopback: as processes on addresses of the loopback network, without isolation and subnets',
    ),
  'lbhost.publicRange': block
    .optional()
    .describe(
      'role lbhost: CIDR block of the addresses of its nodes for clients; the second address is that of the gateway',
    ),
  'lbhost.publicInterface': z
    .string()
    .regex(/^[\w.-]{1,15}$/)
    .optional()
    .describe(
      'role lbhost: an interface of this machine, without addresses, that leads to the gateway of the public range; default: this machine is the gateway, and must forward what comes for the range (net.ipv4.ip_forward)',
    ),
  'lbhost.managementRange': block
    .optional()
    .describe(
      'role lbhost: CIDR block of the addresses at which health checkers reach its nodes; default: the public range, and the same addresses',
    ),
  'lbhost.tunnelAddress': z
    .string()
    .refine((text) => isIP(text) === 4, 'not an IPv4 address')
    .optional()
    .describe(
      "role lbhost: this machine's address on a network of hosts alone, to which the subnets of projects are tunnelled (VXLAN, UDP port 4789); default: subnets do not leave this host",
    ),
  'lbhost.site': z.string().min(1).max(63).optional().describe('role lbhost: name of the place where this machine is'),
  'lbhost.mostNodes': count(1, 1000).default(300).describe('role lbhost: maximum number of its nodes'),
  'lbhost.healthPort': count(1, 65_535)
    .default(8399)
    .describe('role lbhost: TCP port at which its nodes answer health checks, on their management addresses'),
  'lbhost.haproxy': path.default('/usr/sbin/haproxy').describe('role lbhost: path of HAProxy (2.6 or later)'),
  'lbhost.keepalived': path
    .default('/usr/sbin/keepalived')
    .describe('role lbhost: path of keepalived, for addresses that two nodes share'),
} as const;

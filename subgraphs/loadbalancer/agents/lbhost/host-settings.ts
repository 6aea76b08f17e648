// Settings of the role lbhost.
import { isIP } from 'node:net';
import { z } from 'zod';
import { blockBytes } from '../../../../platform/net/address-block.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const path = z.string().min(1);
const block = z.string().refine((text) => {
  const read = blockBytes(text);
  return read !== undefined && read.bytes.length * 8 - read.prefix >= 2;
}, 'not a CIDR block of four addresses or more');
const linkUrl = z.url({ protocol: /^wss$/ });

/** It contains nodes' Unix sockets, whose paths have at most 107 characters. */
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
      'role lbhost: where nodes run: netns: each in a network namespace, which needs root; loopback: as processes on addresses of the loopback network, without isolation and subnets',
    ),
  'lbhost.publicRange': block
    .optional()
    .describe(
      "role lbhost: CIDR block of the addresses of its nodes for clients; only addresses that its record (tidegate hosts set) contains too are used; the second address is the gateway's",
    ),
  'lbhost.publicInterface': z
    .string()
    .regex(/^[\w.-]{1,15}$/)
    .optional()
    .describe(
      'role lbhost: an interface of this machine, without addresses, that leads to the gateway of the public range; default: this machine is the gateway, and must forward packets for the range (net.ipv4.ip_forward)',
    ),
  'lbhost.managementRange': block
    .optional()
    .describe(
      'role lbhost: CIDR block of the addresses at which health checkers reach its nodes, the same as in its record; default: the public range, and the same addresses',
    ),
  'lbhost.tunnelAddress': z
    .string()
    .refine((text) => isIP(text) === 4, 'not an IPv4 address')
    .optional()
    .describe(
      "role lbhost: this machine's address on a network between hosts only, over which the subnets of projects are tunnelled (VXLAN, UDP port 4789); default: subnets do not leave this host",
    ),
  'lbhost.site': z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe("role lbhost: name of this machine's place; compared with its record if set"),
  'lbhost.mostNodes': count(1, 1000)
    .default(300)
    .describe('role lbhost: maximum number of its nodes, if less than in its record'),
  'lbhost.healthPort': count(1, 65_535)
    .default(8399)
    .describe(
      'role lbhost: TCP port at which its nodes answer health checks, on their management addresses; the same as in its record',
    ),
  'lbhost.firstUid': count(65_536, 2_147_400_000)
    .default(2_000_000_000)
    .describe(
      'role lbhost: first of the 65536 user ids, not used by any account, for its nodes; each node has its own, which is also its group',
    ),
  'lbhost.cgroup': path
    .regex(/^\/[^\s]*[^\s/]$/, 'not an absolute path')
    .default('/sys/fs/cgroup/tidegate-lbhost')
    .describe(
      "role lbhost: folder of a cgroup v2 to create, with one inside for each node, which limits processor time, memory and processes by the node's size",
    ),
  'lbhost.limits': z
    .enum(['available', 'required'])
    .default('available')
    .describe(
      'role lbhost: what to do on a machine without such a cgroup: available: nodes run without the missing limits, and readiness reports it; required: the process does not start',
    ),
  'lbhost.haproxy': path.default('/usr/sbin/haproxy').describe('role lbhost: path of HAProxy (2.6 or later)'),
  'lbhost.keepalived': path
    .default('/usr/sbin/keepalived')
    .describe('role lbhost: path of keepalived, for addresses that two nodes share'),
} as const;

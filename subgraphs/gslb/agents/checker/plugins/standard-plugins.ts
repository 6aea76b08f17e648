// The plugins that every checker has, one for each of spec/check-types.ts.
import { dnsPlugin } from './dns.ts';
import { execPlugin } from './exec.ts';
import { grpcPlugin } from './grpc.ts';
import { httpPlugin, httpsPlugin } from './http.ts';
import { icmpPlugin } from './icmp.ts';
import { lbaasPlugin, portPlugin } from './neutron.ts';
import type { CheckPlugin } from './plugin.ts';
import { sshPlugin } from './ssh.ts';
import { tcpPlugin } from './tcp.ts';
import { udpPlugin } from './udp.ts';

export const standardPlugins: readonly CheckPlugin[] = [
  ...[tcpPlugin, udpPlugin, icmpPlugin, httpPlugin, httpsPlugin],
  ...[sshPlugin, grpcPlugin, dnsPlugin, execPlugin, lbaasPlugin, portPlugin],
];

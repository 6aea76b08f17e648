// The plugins that every checker has, and the JSON Schemas of their parameters: the graph publishes these, and validates by them.
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

export interface CheckSchema {
  /** JSON Schema (draft 7) of a monitor's parameters. */
  readonly parameters: object;
  readonly needsPort: boolean;
}

/** By the type of monitor. */
export const checkSchemas: ReadonlyMap<string, CheckSchema> = schemasOf(standardPlugins);

export function schemasOf(plugins: readonly CheckPlugin[]): ReadonlyMap<string, CheckSchema> {
  return new Map(plugins.map(({ name, parameters, needsPort }) => [name, { parameters, needsPort }]));
}

// The address from which a connection is made: a device may admit only one, which moves between hosts. The device would refuse a
// connection from another address, or take it for another caller. So a host that lacks the address makes no connection.
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Connections to addresses of the other family are not from it. */
export function isFor(source: string, host: string): boolean {
  const family = isIP(host);
  return family === 0 || family === isIP(source);
}

/** Whether connections to `host` should be made from `source` while this host does not have that address. */
export function lacksSource(source: string | undefined, host: string): boolean {
  return source !== undefined && isFor(source, host) && !isOnThisHost(source);
}

function isOnThisHost(address: string): boolean {
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const own = new BlockList();
  for (const each of Object.values(networkInterfaces()).flatMap((found) => found ?? [])) {
    const of = each.family === 'IPv4' ? 'ipv4' : 'ipv6';
    own.addAddress(each.address, of);
    // The whole block of a loopback interface is local (RFC 1122, 3.2.1.3).
    const [, prefix] = each.cidr?.split('/') ?? [];
    if (each.internal && prefix !== undefined) own.addSubnet(each.address, Number(prefix), of);
  }
  return own.check(address, family);
}

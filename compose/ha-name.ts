// The name at which the primary of a cluster publishes its address, from the settings of "tidegate ha agent".
import { isIP } from 'node:net';
import { nameFault, zoneFault } from '../dns/names.ts';
import { readTsigKey } from '../dns/servers/tsig-key-file.ts';
import type { DnsName } from '../ha/address/dns-address.ts';
import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import type { Config } from '../platform/process/config.ts';

const usualPort = 53;

/** `own`: this host's address. Throws ConfigError. */
export async function dnsNameIn(config: Config, own: string): Promise<DnsName> {
  const {
    'ha.dnsName': name = '',
    'ha.dnsZone': zone = '',
    'ha.dnsServers': servers = [],
    'ha.dnsKeyFile': keyFile = '',
    'ha.dnsAddress': address = own,
  } = config;
  refuse('ha.dnsZone', zoneFault(zone), zone, 'give the name of a zone, such as example.net');
  refuse('ha.dnsName', nameFault(zone, name), name, 'give a name below ha.dnsZone');
  for (const { host } of servers)
    refuse('ha.dnsServers', addressFault(host), host, 'give an address: to look a name up takes a DNS server');
  refuse('ha.dnsAddress', addressFault(address), address, 'give the address at which clients reach this host');
  const key = await readTsigKey(keyFile).catch((error: unknown) => {
    throw new ConfigError([unusableFile(['ha.dnsKeyFile'], keyFile, error)]);
  });
  const places = servers.map(({ host, port = usualPort }) => ({ address: host, port }));
  return { name, zone, servers: places, key, address };
}

function addressFault(text: string): string | undefined {
  return isIP(text) === 0 ? 'it is not an IP address' : undefined;
}

function refuse(setting: string, wrong: string | undefined, given: string, advice: string): void {
  if (wrong !== undefined) throw new ConfigError([{ settings: [setting], wrong, given, advice }]);
}

// RFC 2136 on PowerDNS, BIND and Knot.
import { Rfc2136Server } from '../../../dns/servers/rfc2136-server.ts';
import { type NameServer, nameServers } from '../support/name-servers.ts';
import { type ContractPlace, describeContract } from './contract.ts';

for (const [title, open] of Object.entries(nameServers))
  describeContract(title, 'RFC2136', async () => {
    const server = await open();
    return {
      ...administered(server),
      records: new Rfc2136Server({ place: server.place, key: server.key, timeoutMs: 5_000 }),
    };
  });

function administered(server: NameServer): Omit<ContractPlace, 'records'> {
  return {
    dig: (name, type) => server.dig(name, type),
    add: (name, ttl, type, value) => server.nsupdate(`update add ${name} ${ttl} ${type} ${value}`),
    removeAll: (name, type) => server.nsupdate(`update delete ${name} ${type}`),
    kill: () => server.kill(),
    start: () => server.start(),
    remove: () => server.remove(),
  };
}

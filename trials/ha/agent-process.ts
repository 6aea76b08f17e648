// The agent of one host of the trial, with the virtual address. arguments: the settings' file, the host
import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { makeDatabase } from '../../embedded/mariadb.ts';
import { comeFirst } from '../../embedded/priority.ts';
import { Clients } from '../../ha/address/clients.ts';
import { VirtualAddress } from '../../ha/address/virtual-address.ts';
import { HaAgent } from '../../ha/agent/agent.ts';
import { EtcdClient } from '../../ha/etcd.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { type DataHost, places, virtualAddress } from './network.ts';
import { addressFolder, copyPort, etcdUrls, mariadbPort, servedFile, type TrialSettings } from './settings.ts';

const [, , file = '', name = ''] = process.argv;
comeFirst();
const me = name as DataHost;
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
toleratesBrokenConnects(process);
const folder = await openDataFolder(join(settings.folder, me, 'agent'), { version: 1 });
const say = (message: string) => process.stdout.write(`${new Date().toISOString()} ${message}\n`);
const log = { debug: () => undefined, info: say, warn: say, error: say };
const { ca, cert, key, applicationPassword, replicationPassword, cluster, leaseMs } = settings;
// The nearest member, which is on its own host, comes first.
const urls = [...etcdUrls].sort((url) => (url.includes(`//${places[me]}:`) ? -1 : 1));
// The first primary creates it.
if (me === 'a') await makeDatabase(folder);
const announcer = await VirtualAddress.open({
  ...{ me, address: `${virtualAddress}/24`, device: 'eth0', source: places[me], routerId: 77, log },
  ...{ peers: [places[me === 'a' ? 'b' : 'a']], folder: await folder.subfolder(addressFolder) },
});
await HaAgent.start({
  ...{ folder, me, cluster, leaseMs, mayRoute: true, log, announcer },
  clients: new Clients({ address: virtualAddress, processFile: servedFile(settings, me), log }),
  etcd: new EtcdClient({ urls, tls: { ca, cert, key }, timeoutMs: 900 }),
  hosts: {
    a: { address: places.a, port: mariadbPort, serverId: 1 },
    b: { address: places.b, port: mariadbPort, serverId: 2 },
  },
  accounts: { applicationPassword, replicationPassword },
  copies: { tls: { ca, cert, key }, ports: { a: copyPort, b: copyPort } },
});
// It ends only when it is killed.
flushCompileCache();

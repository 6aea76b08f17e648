// The agent of one host of the trial. arguments: the settings' file, the host
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { makeDatabase } from '../../../embedded/mariadb.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { EtcdClient } from '../../../ha/etcd.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { places } from './network.ts';
import { copyPort, etcdUrls, mariadbPort, type TrialSettings } from './settings.ts';

const [, , file = '', me = ''] = process.argv;
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
toleratesBrokenConnects(process);
const folder = await openDataFolder(join(settings.folder, me, 'agent'), { version: 1 });
const say = (message: string) => process.stdout.write(`${new Date().toISOString()} ${message}\n`);
const { ca, cert, key, applicationPassword, replicationPassword, cluster, leaseMs } = settings;
// The nearest first: its own host's.
const urls = [...etcdUrls].sort((url) => (url.includes(places[me as 'a' | 'b']) ? -1 : 1));
// The first primary.
if (me === 'a') await makeDatabase(folder);
await HaAgent.start({
  ...{ folder, me, cluster, leaseMs, mayRoute: true },
  log: { debug: () => undefined, info: say, warn: say, error: say },
  etcd: new EtcdClient({ urls, tls: { ca, cert, key }, timeoutMs: 900 }),
  hosts: {
    a: { address: places.a, port: mariadbPort, serverId: 1 },
    b: { address: places.b, port: mariadbPort, serverId: 2 },
  },
  accounts: { applicationPassword, replicationPassword },
  copies: { tls: { ca, cert, key }, ports: { a: copyPort, b: copyPort } },
});

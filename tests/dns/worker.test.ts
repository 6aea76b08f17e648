// Names that the role worker publishes in a full process: its settings, its queues over Redis, and a subgraph that uses dns.
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownersOf } from '../../compose/owners.ts';
import { startProcess } from '../../compose/process.ts';
import { dnsModule } from '../../dns/module.ts';
import { nameFault } from '../../dns/names.ts';
import { isPublished } from '../../dns/records/record-set.ts';
import { declareRecords, readRecordSet } from '../../dns/records/record-store.ts';
import { Database } from '../../platform/database/database.ts';
import { migrate, ownersIn } from '../../platform/database/migrate.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { createLocalWake } from '../../platform/work/wake.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { thermometerRow } from '../small-subgraph/row.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { type SystemPlace, systemPlace } from '../support/product/running-system.ts';
import { bind, type NameServer, powerdns, zone } from './support/name-servers.ts';

const rows = [
  ...subgraphRows,
  { ...thermometerRow, uses: [dnsModule] },
  { ...thermometerRow, name: 'two', uses: [dnsModule] },
];
const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
let place: SystemPlace;
let servers: { readonly PowerDNS: NameServer; readonly BIND: NameServer };
let folder: TemporaryFolder;
let db: Database;
let settings: Record<string, string>;

beforeAll(async () => {
  place = await systemPlace();
  await migrate(place.database.connection, ownersOf(['thermometer'], rows));
  db = new Database({ connection: place.database.connection, connectionLimit: 4 });
  servers = { PowerDNS: await powerdns(), BIND: await bind() };
  folder = await temporaryFolder();
  const {
    place: { address, port },
    keyFile,
  } = servers.PowerDNS;
  settings = {
    ...place.settings,
    ...{
      roles: 'worker',
      'dns.servers': `${address}:${port}`,
      'dns.tsigKeyFile': keyFile,
      'dns.lookIntervalMs': '1000',
    },
  };
});

afterAll(async () => {
  await db.close();
  for (const server of Object.values(servers)) await server.remove();
  await folder.remove();
  await place.remove();
});

test('a database of a subgraph that uses dns has its tables', async () => {
  expect([...(await ownersIn(db))]).toEqual(expect.arrayContaining(['platform', 'thermometer', 'dns']));
});

test.each(['PowerDNS', 'BIND'] as const)(
  'a worker publishes on %s the names that a subgraph declares, and corrects changes by others',
  async (named) => {
    const name = `web-${named.toLowerCase()}.${zone}`;
    const server = servers[named];
    const { address, port } = server.place;
    const own = { ...settings, 'dns.servers': `${address}:${port}`, 'dns.tsigKeyFile': server.keyFile };
    const worker = await startProcess(readConfig({ flags: own }, rows), log, { rows });
    try {
      const wanted = {
        zone,
        name,
        owner: `thermometer/${named}`,
        records: [{ type: 'A', value: '192.0.2.1' } as const],
        ttlSeconds: 5,
      };
      await db.transaction((tx) => declareRecords(tx, createLocalWake(), wanted));
      await waitFor('the publication', async () => {
        const set = await readRecordSet(db, { zone, name });
        return set !== undefined && isPublished(set);
      });
      expect(await server.dig(name, 'A')).toEqual(['192.0.2.1']);
      await server.nsupdate(`update delete ${name} A`);
      await waitFor('the mending', async () => (await server.dig(name, 'A'))[0] === '192.0.2.1');
      await server.kill();
      await db.transaction((tx) => declareRecords(tx, createLocalWake(), { ...wanted, ttlSeconds: 6 }));
      const impaired = async () => (await worker.health.readiness()).impaired.map(({ detail }) => detail ?? '').join();
      await waitFor('the fault in health', async () =>
        (await impaired()).includes('1 names are not published: 127.0.0.1'),
      );
      await server.start();
      await waitFor('health', async () => (await impaired()) === '');
    } finally {
      await worker.stop();
    }
  },
);

test.each([
  ['192.0.2.53', 'is not ADDRESS:PORT'],
  ['192.0.2.53:0', 'is not ADDRESS:PORT'],
  ['192.0.2.53:65536', 'is not ADDRESS:PORT'],
  ['2001:db8::1:53', 'is not ADDRESS:PORT'],
  ['ns.example.test:53', 'is not ADDRESS:PORT'],
  [Array(9).fill('192.0.2.53:53').join(','), '8'],
])('dns.servers %s is refused', (text, wrong) => {
  expect(() => readConfig({ flags: { ...settings, 'dns.servers': text } }, rows)).toThrow(wrong);
});

test('the longest name of a load balancer fits into the longest zone that is allowed', () => {
  const label = 'a'.repeat(63);
  const ofLength = (length: number) => `${label}.${label}`.slice(0, length);
  const read = (zone: string) => readConfig({ flags: { ...settings, 'loadbalancer.zone': zone } }, subgraphRows);
  expect(() => read(ofLength(116))).toThrow('loadbalancer.zone');
  read(ofLength(115));
  expect(nameFault(ofLength(115), `${label}.${label}.${ofLength(115)}`)).toBeUndefined();
});

test('dns.servers accepts addresses of both versions', () => {
  const config = readConfig({ flags: { ...settings, 'dns.servers': '192.0.2.53:53, [2001:db8::53]:5353' } }, rows);
  expect((config as unknown as Record<string, unknown>)['dns.servers']).toEqual([
    { address: '192.0.2.53', port: 53 },
    { address: '2001:db8::53', port: 5353 },
  ]);
});

test('a worker does not start with a key that others may read, or that is invalid', async () => {
  const start = (path: string) =>
    startProcess(readConfig({ flags: { ...settings, 'dns.tsigKeyFile': path } }, rows), log, { rows });
  const open = join(folder.path, 'open.key');
  await copyFile(servers.PowerDNS.keyFile, open);
  await chmod(open, 0o644);
  await expect(start(open)).rejects.toThrow('chmod 600');
  const none = join(folder.path, 'none.key');
  await expect(start(none)).rejects.toBeInstanceOf(ConfigError);
  await copyFile(import.meta.filename, none);
  await chmod(none, 0o600);
  await expect(start(none)).rejects.toThrow('is not a TSIG key');
});

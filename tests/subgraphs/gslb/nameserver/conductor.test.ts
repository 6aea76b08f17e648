// The real conductor and real name servers: what commits in the database is what they answer, signed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import { runProgram } from '../../../../embedded/run-program.ts';
import type { Peers } from '../../../../platform/machines/peers.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { databaseNow } from '../../../../subgraphs/gslb/conductor/checker-store.ts';
import { ConductorLinks } from '../../../../subgraphs/gslb/conductor/conductor-links.ts';
import { keyRule, zoneDsTexts } from '../../../../subgraphs/gslb/conductor/zone-key-keeper.ts';
import { withNextPlain } from '../../../../subgraphs/gslb/conductor/zone-keys.ts';
import { openZoneKeys, readZonesNamed, storeZoneKeys } from '../../../../subgraphs/gslb/conductor/zone-store.ts';
import { NameServer } from '../../../../subgraphs/gslb/nameserver/name-server.ts';
import { testAuthority, testMachine } from '../../../support/machines.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/temporary-folder.ts';
import { GslbPlace, zone } from '../support/gslb-place.ts';

interface Served {
  /** UUID of its machine. */
  readonly id: string;
  readonly server: NameServer;
  readonly answerer: Answerer;
  readonly port: number;
}

let folder: TemporaryFolder;
let place: GslbPlace;
let authority: CertificateAndKey;
let links: ConductorLinks | undefined;
let port = 0;
let peers: Peers;
const served: Served[] = [];

beforeEach(async () => {
  port = 0;
  folder = await temporaryFolder();
  place = await GslbPlace.open();
  authority = await testAuthority();
  await conduct();
});
afterEach(async () => {
  for (const { server } of served.splice(0)) await server.stop();
  await links?.stop();
  await place.close();
  await folder.remove();
});

/** At the port of the one before, if there was one. */
async function conduct(): Promise<void> {
  const { db, log, sealer, owner } = place.ground;
  const tls = await testMachine(authority, 'gslb', 'conductor', log);
  ({ peers } = tls);
  links = new ConductorLinks({
    ...{ ...place.parts, db, log, sealer, owner, signsZones: true },
    nameServers: { host: '127.0.0.1', port, tls },
  });
  await links.start();
  port = links.nameServerPort ?? 0;
}

async function serve(name: string): Promise<Served> {
  const { log, sealer } = place.ground;
  const listen = [{ address: '127.0.0.1', port: 0 }];
  const failed = (what: string, error?: unknown) => log.error({ err: error }, what);
  const disk = { path: join(folder.path, name), sealer };
  const answerer = await Answerer.start({ listen, name, disk, failed });
  const tls = await testMachine(authority, 'dns', name, log);
  const urls = [`wss://127.0.0.1:${port}/link`];
  const server = new NameServer({ answerer, listen, name, version: '0', urls, tls, log });
  server.start();
  const one = { id: tls.id, server, answerer, port: answerer.ports[0] ?? 0 };
  served.push(one);
  return one;
}

async function dig({ port }: Served, label: string): Promise<readonly string[]> {
  const words = ['@127.0.0.1', '-p', String(port), '+short', '+time=2', '+tries=3', `${label}.${zone}`];
  return (await runProgram('dig', words)).stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

test('a name server whose machine was revoked is named no more; one that is only dead still is', async () => {
  await place.name('shop');
  const [ns1, ns2, ns3] = [await serve('ns1'), await serve('ns2'), await serve('ns3')];
  const named = async () => {
    const words = ['@127.0.0.1', '-p', String(ns1.port), '+short', '+time=2', '+tries=3', zone, 'NS'];
    const { stdout } = await runProgram('dig', words);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  };
  const all = ['ns1', 'ns2', 'ns3'].map((name) => `${name}.${zone}.`);
  await waitFor('all to be named', async () => (await named()).join() === all.join());
  for (const { server } of served.splice(served.indexOf(ns2), 2)) await server.stop();
  await place.ground.db.execute("UPDATE gslb_name_server SET heard_at = NOW(3) - INTERVAL 1 DAY WHERE name <> 'ns1'");
  peers.revoke(new Set([ns3.id]));
  await waitFor('two to be named', async () => (await named()).join() === all.slice(0, 2).join());
  // Nobody brings it back.
  expect(await place.count('SELECT COUNT(*) AS n FROM gslb_name_server', [])).toBe(2);
});

async function zoneRow() {
  const row = (await readZonesNamed(place.ground.db, [zone])).get(zone);
  if (row === undefined) throw new Error('there is no zone');
  return row;
}

const signed = ({ answerer }: Served) => answerer.plan(`${zone}.`)?.keys.length ?? 0;

test('a verdict is answered by every name server, also after a time without a conductor', async () => {
  const [eu, us] = [await place.vantagePoint('eu'), await place.vantagePoint('us')];
  const one = await place.member('one', { addresses: ['192.0.2.1'] });
  const two = await place.member('two', { addresses: ['192.0.2.2'] });
  const name = await place.name('shop');
  const servers = [await serve('ns1'), await serve('ns2')];
  const everywhere = (label: string, addresses: readonly string[]) =>
    waitFor(`${label} at ${addresses}`, async () => {
      const answers = await Promise.all(servers.map((each) => dig(each, label)));
      return answers.every((answer) => answer.join() === addresses.join());
    });
  for (const checker of [eu, us]) await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  await everywhere('shop', ['192.0.2.1', '192.0.2.2']);
  for (const checker of [eu, us]) await place.say(checker, { [one]: 'DOWN' });
  await everywhere('shop', ['192.0.2.2']);
  // All of them have it: what was requested is done.
  await waitFor('the end of the request', async () => {
    await place.work('gslb-plan', name);
    const sql = `SELECT COUNT(*) AS n FROM gslb WHERE id = ? AND provisioning_status = 'ACTIVE'`;
    return (await place.count(sql, [name])) === 1;
  });
  await links?.stop();
  for (const checker of [eu, us]) await place.say(checker, { [one]: 'UP', [two]: 'DOWN' });
  await everywhere('shop', ['192.0.2.2']);
  await conduct();
  await everywhere('shop', ['192.0.2.1']);
  for (const { server } of servers) expect(server.figures()).toMatchObject({ refused: {}, connected: true });
});

test('a zone is signed: its answers and denials are valid, and the parent is told one key', async () => {
  await place.vantagePoint('eu');
  await place.member('one', { addresses: ['192.0.2.1'] });
  await place.name('shop');
  const one = await serve('ns1');
  await waitFor('its keys', () => signed(one) === 2 && dig(one, 'shop').then((answer) => answer.length === 1));
  const row = await zoneRow();
  const [ds = '', ...more] = zoneDsTexts(row, place.ground.sealer, await databaseNow(place.ground.db));
  expect(more).toEqual([]);
  const anchors = join(folder.path, 'anchors');
  const [tag, algorithm, type, digest] = ds.split(' ');
  await writeFile(anchors, `trust-anchors {\n"${zone}." static-ds ${tag} ${algorithm} ${type} "${digest}";\n};\n`);
  const delv = async (label: string) => {
    const words = ['@127.0.0.1', '-p', String(one.port), '-a', anchors, `+root=${zone}`, `${label}.${zone}`];
    const { stdout, stderr } = await runProgram('delv', words);
    return `${stdout}${stderr}`;
  };
  expect(await delv('shop')).toMatch(/fully validated[\s\S]*192\.0\.2\.1/);
  expect(await delv('nothing')).toMatch(/negative response, fully validated/);
  // Another key is published, and answers stay valid.
  const { db, sealer, wake } = place.ground;
  const keys = withNextPlain(openZoneKeys(row, sealer), await databaseNow(db));
  await db.transaction((tx) => storeZoneKeys(tx, wake, { zone, keys, sealer }));
  await waitFor('the third key', () => signed(one) === 3);
  expect(await delv('shop')).toContain('fully validated');
  expect(keyRule.plainMs).toBeGreaterThan(2 * (keyRule.ttlMs + keyRule.spreadMs));
});

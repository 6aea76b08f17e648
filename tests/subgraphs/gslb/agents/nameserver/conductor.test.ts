// The real conductor and real name servers, which answer with the signed data of the database.
// needs: bind9-dnsutils
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Answerer } from '../../../../../dns/answerer/answerer.ts';
import { keepServerName, reserveServerName } from '../../../../../dns/ownership/server-names.ts';
import { runProgram } from '../../../../../embedded/run-program.ts';
import type { Peers } from '../../../../../platform/machines/peers.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { NameServer } from '../../../../../subgraphs/gslb/agents/nameserver/name-server.ts';
import { keyRule, zoneDsTexts } from '../../../../../subgraphs/gslb/control/entities/zone-key-rollover.ts';
import { ConductorLinks } from '../../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { databaseNow } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { withNextPlain } from '../../../../../subgraphs/gslb/control/stores/zone-keys.ts';
import {
  openZoneKeys,
  readZonesNamed,
  storeZoneKeys,
} from '../../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { GslbPlace, zone } from '../../support/gslb-place.ts';

interface Served {
  /** UUID of the name server's machine. */
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

/** Reuses the port of the previous conductor, if there was one. */
async function conduct(): Promise<void> {
  const { db, log, sealer, owner } = place.ground;
  const tls = await testMachine(authority, 'gslb', 'conductor', log);
  ({ peers } = tls);
  links = new ConductorLinks({
    ...{ ...place.dependencies, db, log, sealer, owner, signsZones: true },
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
  await place.recordServer(tls.id, ['127.0.0.1']);
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

test('a name server with a revoked machine is no longer published; one that is only dead still is', async () => {
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
  // Nothing adds it again.
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
  // All servers have it, so the request is done.
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

test('a signed zone has valid answers and denials, and one key for the parent', async () => {
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

test('a GSLB with the name of a name server reports an error, and is answered again after the server is removed and its rest time is over', async () => {
  const { db } = place.ground;
  const eu = await place.vantagePoint('eu');
  const member = await place.member('one', { addresses: ['192.0.2.1'] });
  const name = await place.name('shop');
  await place.say(eu, { [member]: 'UP' });
  const ns1 = await serve('ns1');
  const endWorker = place.worker();
  try {
    const row = async () => {
      const [found] = await db.query<{ status: string; message: string | null; provisioning: string; reason: string }>(
        `SELECT operating_status AS status, status_message AS message, provisioning_status AS provisioning,
          provisioning_reason AS reason FROM gslb WHERE id = ?`,
        [name],
      );
      if (found === undefined) throw new Error('there is no such GSLB');
      return found;
    };
    const until = (what: string, is: (now: Awaited<ReturnType<typeof row>>) => boolean) =>
      waitFor(what, async () => is(await row()));
    const answers = (address: string) =>
      waitFor(`the answer ${address}`, async () => (await dig(ns1, 'shop')).join() === address);
    await answers('192.0.2.1');
    await until('it to be done', ({ status, provisioning }) => status === 'ONLINE' && provisioning === 'ACTIVE');

    const shop = await serve('shop');
    await until('the server to have its name', ({ status }) => status === 'ERROR');
    expect((await row()).message).toBe(
      `NAME_TAKEN: shop.${zone} is one of our name servers now, and is answered with that server's addresses: create the GSLB with another name, or have an administrator revoke the machine shop`,
    );
    await answers('127.0.0.1');
    expect(await place.plan(name)).toMatchObject({ plan: null });

    // A verdict or a requested change does not restore the answer.
    await place.say(eu, { [member]: 'DOWN' });
    await place.say(eu, { [member]: 'UP' });
    await db.execute(
      "UPDATE gslb SET provisioning_status = 'PENDING', action = 'UPDATE', pending_since = NOW(3) - INTERVAL 1 HOUR WHERE id = ?",
      [name],
    );
    await place.work('gslb-plan', name);
    await until('the request to fail', ({ provisioning }) => provisioning === 'ERROR');
    expect((await row()).reason).toMatch(/^NAME_TAKEN: /);

    for (const { server } of served.splice(served.indexOf(shop), 1)) await server.stop();
    peers.revoke(new Set([shop.id]));
    await until('the name to rest', ({ message }) => message?.includes('rests until') === true);
    expect((await row()).message).toMatch(
      /^NAME_TAKEN: shop\.\S+ was one of our name servers, and rests until \d{4}-\S+Z: create the GSLB with another name, or wait$/,
    );
    await waitFor('no answer', async () => (await dig(ns1, 'shop')).length === 0);

    // No request is needed, because the work is already owed.
    const owed = "SELECT COUNT(*) AS n FROM owed_work WHERE kind = 'gslb-plan' AND `key` = ? AND due_at > NOW(3)";
    await waitFor('the next plan to be owed', async () => (await place.count(owed, [name])) === 1);
    await db.execute("UPDATE dns_server_name SET held_until = '1970-01-02' WHERE name = 'shop'");
    await db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'gslb-plan'");
    await answers('192.0.2.1');
    await until('it to be done again', ({ status, provisioning }) => status === 'ONLINE' && provisioning === 'ACTIVE');
    expect(await row()).toMatchObject({ message: null });
  } finally {
    await endWorker();
  }
});

test("a machine that was only created as a name server, or has not connected yet, does not reserve a GSLB's name", async () => {
  const { db } = place.ground;
  await place.member('one', { addresses: ['192.0.2.1'] });
  const name = await place.name('shop');
  const machine = { id: newUuid(), name: 'shop' };
  await db.transaction((tx) => reserveServerName(tx, machine, new Date(Date.now() + 600_000)));
  await place.work('gslb-plan', name);
  await db.transaction((tx) => keepServerName(tx, machine));
  await place.work('gslb-plan', name);
  expect((await place.plan(name)).plan.members).toHaveLength(1);
});

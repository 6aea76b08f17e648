// Checkers and a name server at two conductor processes over real links: from the checkers' results to the name
// server's answers.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { Peers } from '../../../../platform/machines/peers.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { createRedisWake } from '../../../../platform/work/wake.ts';
import { Feed } from '../../../../subgraphs/gslb/agents/nameserver/feed.ts';
import { ConductorLinks } from '../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import {
  readVantagePoints,
  shareAnew,
  type VantageRow,
} from '../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { stateKey } from '../../../../subgraphs/gslb/wire/dns-wire.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../support/product/machines.ts';
import { GslbPlace, zone } from '../support/gslb-place.ts';
import { ScriptedChecker } from '../support/scripted-checker.ts';

const silenceMs = 3_000;
let place: GslbPlace;
let authority: CertificateAndKey;
/** The peers of the conductor that was started last. */
let peers: Peers;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  authority = await testAuthority();
  place = await GslbPlace.open();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await place.close();
});

async function conductor(): Promise<ConductorLinks> {
  const { ground, dependencies } = place;
  const tls = await testMachine(authority, 'gslb', 'conductor', ground.log);
  ({ peers } = tls);
  // Each process is woken over Redis, as in an installation.
  const wake = createRedisWake(
    { path: place.database.redisPath },
    { prefix: place.database.redisPrefix, log: ground.log },
  );
  const at = { host: '127.0.0.1', port: 0, tls };
  const { db, log, sealer, owner } = ground;
  const links = new ConductorLinks({
    ...dependencies,
    silenceMs,
    db,
    log,
    sealer,
    owner,
    signsZones: false,
    wake,
    checkers: at,
    nameServers: at,
  });
  await links.start();
  ends.push(async () => {
    await links.stop();
    await wake.close();
  });
  return links;
}

async function checker(vantagePoint: string, links: ConductorLinks): Promise<ScriptedChecker> {
  const machine = await testMachine(authority, 'checker', `checker-${vantagePoint}`, place.ground.log);
  await place.record(machine.id, vantagePoint);
  const made = new ScriptedChecker(machine, vantagePoint, links.checkerPort ?? 0);
  made.start();
  ends.push(() => made.stop());
  return made;
}

async function nameServer(links: ConductorLinks): Promise<Answerer> {
  const { log } = place.ground;
  const tls = await testMachine(authority, 'dns', 'ns1', log);
  await place.recordServer(tls.id, ['192.0.2.53']);
  const answerer = await Answerer.start({ listen: [], name: 'ns1', failed: () => undefined });
  ends.push(() => answerer.close());
  const tell = () => client.report(stateKey, stateOf(answerer, feed));
  const resend = (key: string) => client.resend(key);
  const feed = new Feed({ answerer, log, resend, changed: () => tell() });
  const client: LinkClient = new LinkClient({
    ...{ tls, log, documents: feed, role: 'gslb', urls: [`wss://127.0.0.1:${links.nameServerPort}/link`] },
    facts: () => ({ name: 'ns1', addresses: [{ address: '192.0.2.53', port: 53 }], zones: {}, version: 'test' }),
  });
  client.start();
  ends.push(() => client.stop());
  return answerer;
}

function stateOf(answerer: Answerer, feed: Feed) {
  const zones = Object.fromEntries(answerer.stats().zones.map(({ zone: name, position }) => [name, position]));
  return { zones, refused: feed.refused(), heardAgoMs: 0, queries: 0, connections: 0 };
}

function upAt(answerer: Answerer): readonly string[] {
  const names = answerer.plan(`${zone}.`)?.names ?? [];
  return names.flatMap(({ members }) => members.filter(({ up }) => up).map(({ memberId }) => memberId)).sort();
}

test("results of checkers at two processes become a name server's answers, and a silent checker changes nothing", async () => {
  const [first, second] = [await conductor(), await conductor()];
  for (const name of ['eu', 'us', 'ap']) await place.vantagePointWithout(name);
  const members = [await place.member('one'), await place.member('two', { addresses: ['192.0.2.2'] })].sort();
  const [one = '', two = ''] = members;
  const name = await place.name('shop');
  const eu = await checker('eu', first);
  const us = await checker('us', second);
  const ap = await checker('ap', second);
  const answerer = await nameServer(first);
  await waitFor('both to be up at the name server', () => upAt(answerer).length === 2);
  expect(answerer.plan(`${zone}.`)?.nameServers).toEqual([{ name: `ns1.${zone}.`, addresses: ['192.0.2.53'] }]);
  // The name is provisioned once the name server confirmed it.
  await waitFor('the name to be provisioned', async () => {
    await place.work('gslb-plan', name);
    const status = "SELECT COUNT(*) AS n FROM gslb WHERE provisioning_status = 'ACTIVE' AND action = 'NONE'";
    return (await place.count(status)) === 1;
  });
  eu.see(one, 'DOWN');
  us.see(one, 'DOWN');
  await waitFor('it to leave the answers', () => upAt(answerer).join() === two);
  // The checker moves to the other process, and its reports count there.
  eu.moveTo(second.checkerPort ?? 0);
  us.see(one, 'UP');
  eu.see(one, 'UP');
  await waitFor('it to come back', () => upAt(answerer).length === 2);
  // Two of three fall silent. The remaining one reports DOWN, and nothing flips.
  await eu.stop();
  await us.stop();
  await waitFor('them to be absent', async () => {
    const sql = `SELECT COUNT(*) AS n FROM gslb_vantage_point v WHERE name <> 'ap' AND NOT EXISTS
      (SELECT 1 FROM gslb_checker c WHERE c.vantage_point_id = v.id AND c.epoch = v.epoch)`;
    return (await place.count(sql)) === 2;
  });
  ap.see(two, 'DOWN');
  await waitFor(
    'its vote',
    async () => (await place.count("SELECT COUNT(*) AS n FROM gslb_vote WHERE verdict = 'DOWN'")) === 1,
  );
  for (const member of members) await place.work('gslb-judge', member);
  expect(upAt(answerer)).toHaveLength(2);
  expect(await place.count('SELECT COUNT(*) AS n FROM gslb_pool_member WHERE undecided_at IS NOT NULL')).toBe(2);
}, 120_000);

test('checkers of one vantage point share its targets; a dead one leaves them to the other', async () => {
  const links = await conductor();
  await place.vantagePointWithout('eu', { deniedBlocks: ['198.51.100.0/24'] });
  const members = [];
  for (let at = 0; at < 40; at += 1) members.push(await place.member(`m${at}`, { addresses: [`192.0.2.${at + 1}`] }));
  await place.member('denied', { addresses: ['198.51.100.1'] });
  const first = await checker('eu', links);
  await waitFor('all targets', () => first.grant !== undefined && first.targets.size === 40);
  const second = await checker('eu', links);
  const shared = () => [...first.targets.keys(), ...second.targets.keys()].sort();
  await waitFor('the targets to be shared', () => {
    const isWhole = shared().length === 40 && new Set(shared()).size === 40;
    return isWhole && first.grant?.epoch === second.grant?.epoch && first.targets.size < 30 && second.targets.size < 30;
  });
  await waitFor('both to be heard', async () => {
    return (await place.count("SELECT COUNT(*) AS n FROM gslb_pool_member WHERE verdict = 'UP'")) === 40;
  });
  await second.stop();
  await waitFor('the other to take all', () => first.targets.size === 40);
  await waitFor('all to be said anew', () => first.isHeard);
  // A checker with a revoked machine has no row, and its votes no longer count.
  const third = await checker('eu', links);
  await waitFor('the targets to be shared again', () => third.targets.size > 0 && third.isHeard);
  peers.revoke(new Set([third.machine.id]));
  await waitFor('it to be forgotten', async () => {
    return (await place.count('SELECT COUNT(*) AS n FROM gslb_checker WHERE id = ?', [third.machine.id])) === 0;
  });
  await waitFor('the other to take all again', () => first.targets.size === 40 && first.isHeard);
  // One member is removed and one is added.
  await place.ground.db.execute('UPDATE gslb_pool_member SET deleted_at = NOW(3) WHERE id = ?', [members[0] ?? '']);
  const late = await place.member('late', { addresses: ['192.0.2.200'] });
  place.ground.wake.notify('gslb-targets');
  await waitFor('the targets to change', () => [...first.targets.values()].some(({ member }) => member === late));
  expect(first.targets.size).toBe(40);
}, 120_000);

test('a batch sent during a reassignment does not cost the connection, and everything is reported again', async () => {
  const links = await conductor();
  await place.vantagePointWithout('eu');
  const member = await place.member('one');
  const eu = await checker('eu', links);
  await waitFor('it to be heard', () => eu.targets.size === 1 && eu.isHeard);
  const { db, wake } = place.ground;
  const [row] = await readVantagePoints(db);
  // No session is woken, so the checker reports before it learns of the reassignment.
  const epoch = await db.transaction((tx) => shareAnew(tx, wake, row as VantageRow, [eu.machine.id]));
  await waitFor('the new epoch', () => eu.grant?.epoch === epoch);
  eu.see(member, 'DOWN');
  await waitFor('its vote', async () => {
    const vote = "SELECT COUNT(*) AS n FROM gslb_vote WHERE verdict = 'DOWN' AND epoch = ?";
    return (await place.count(vote, [String(epoch)])) === 1;
  });
  expect(eu.connections).toBe(1);
}, 120_000);

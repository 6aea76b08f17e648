// Checkers at three vantage points with the real conductor. A killed server leaves the name's plan and later returns to
// it.
// needs: fping
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Registry } from 'prom-client';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { Checker } from '../../../../../subgraphs/gslb/agents/checker/checker.ts';
import { standardPlugins } from '../../../../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import { ConductorLinks } from '../../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

const log = pino({ level: 'silent' });
const vantagePoints = ['eu', 'us', 'ap'];
let place: GslbPlace;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  place = await GslbPlace.open();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await place.close();
});

async function serve(port = 0): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function startCheckers(): Promise<ReadonlyMap<string, Checker>> {
  const { db, sealer, owner } = place.ground;
  const authority = await testAuthority();
  const links = new ConductorLinks({
    ...{ ...place.dependencies, db, log, sealer, owner, egress: testEgress, heartbeatMs: 200, signsZones: false },
    checkers: { host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'gslb', 'conductor', log) },
  });
  await links.start();
  ends.push(() => links.stop());
  const checkers = new Map<string, Checker>();
  for (const vantagePoint of vantagePoints) {
    const spec = { latitude: 0, longitude: 0, allowedBlocks: [], deniedBlocks: [], beacons: [] };
    await db.execute('INSERT INTO gslb_vantage_point (id, name, live_name, region, spec) VALUES (?, ?, ?, ?, ?)', [
      ...[newUuid(), vantagePoint, vantagePoint, vantagePoint, JSON.stringify(spec)],
    ]);
    const tls = await testMachine(authority, 'checker', `${vantagePoint}-1`, log);
    await place.record(tls.id, vantagePoint);
    const checker = new Checker({
      ...{ vantagePoint, version: '1', urls: [`wss://127.0.0.1:${links.checkerPort}/link`], log, tls },
      ...{ registry: new Registry(), egress: testEgress, plugins: standardPlugins, fping: '/usr/bin/fping' },
      ...{ resolve: async () => [], programs: new Map() },
    });
    await checker.start();
    ends.push(() => checker.stop());
    checkers.set(vantagePoint, checker);
  }
  return checkers;
}

test('a killed server leaves the plan, a lost vantage point changes nothing, and the server returns when it is back', async () => {
  const [web, other] = [await serve(), await serve()];
  const one = await place.member('one', { addresses: ['127.0.0.1'], port: web.port });
  const two = await place.member('two', { addresses: ['127.0.0.1'], port: other.port });
  const shop = await place.name('shop');
  const checkers = await startCheckers();
  const isUp =
    (...members: string[]) =>
    async () =>
      JSON.stringify([...(await place.up(shop))].sort()) === JSON.stringify(members.sort());
  const votes = (verdict: string) =>
    place.count('SELECT COUNT(*) AS n FROM gslb_vote WHERE verdict = ? AND vantage_point_id IS NOT NULL', [verdict]);
  await waitFor('both to be in the plan', isUp(one, two));
  await waitFor('all votes', async () => (await votes('UP')) === 6);

  web.server.close();
  await waitFor('one to leave it', isUp(two));
  await waitFor('all to say so', async () => (await votes('DOWN')) === 3);
  expect(await place.count("SELECT COUNT(*) AS n FROM gslb_vote WHERE message = 'the connection was refused'")).toBe(3);

  await checkers.get('ap')?.stop();
  const flips = await place.count('SELECT COUNT(*) AS n FROM gslb_flip');
  await serve(web.port);
  await waitFor('one to return', isUp(one, two));
  expect(await place.count('SELECT COUNT(*) AS n FROM gslb_flip WHERE late = 0')).toBe(flips + 1);
});

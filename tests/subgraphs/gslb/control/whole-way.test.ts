// From the death of a web server to the answer without it, with real checkers, the real conductor and a real name
// server.
// needs: fping
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { Checker } from '../../../../subgraphs/gslb/agents/checker/checker.ts';
import { standardPlugins } from '../../../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import { Feed } from '../../../../subgraphs/gslb/agents/nameserver/feed.ts';
import { ConductorLinks } from '../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { patience } from '../../../support/machine/patience.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../support/product/machines.ts';
import { GslbPlace, zone } from '../support/gslb-place.ts';

let place: GslbPlace;
let authority: CertificateAndKey;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  authority = await testAuthority();
  place = await GslbPlace.open();
});
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await place.close();
});

async function web(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((_, response) => response.end('alive'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => die(server));
  return { server, port: (server.address() as AddressInfo).port };
}

async function die(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

test(
  "a dead web server leaves a name server's answers, and returns to them when it is back",
  async () => {
    const { ground, dependencies } = place;
    const { db, log, sealer, owner, wake } = ground;
    const at = { host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'gslb', 'conductor', log) };
    const links = new ConductorLinks({
      ...{ ...dependencies, silenceMs: 5_000, db, log, sealer, owner, wake, signsZones: true },
      ...{ checkers: at, nameServers: at },
    });
    await links.start();
    ends.push(() => links.stop());
    // On a busy machine checkers briefly abstain or fall silent. Their earlier votes count again when a worker judges.
    ends.push(place.worker());
    const [first, second] = [await web(), await web()];
    const one = await place.member('one', { addresses: ['127.0.0.1'], port: first.port });
    const two = await place.member('two', { addresses: ['127.0.0.1'], port: second.port });
    await place.name('shop');
    for (const name of ['eu', 'us', 'ap']) {
      await place.vantagePointWithout(name);
      const tls = await testMachine(authority, 'checker', `checker-${name}`, log);
      await place.record(tls.id, name);
      const checker = new Checker({
        ...{ vantagePoint: name, version: 'test', urls: [`wss://127.0.0.1:${links.checkerPort}/link`], log },
        ...{ tls, registry: new Registry() },
        ...{
          egress: ground.egress,
          plugins: standardPlugins,
          resolve: async () => [],
          fping: '/usr/bin/fping',
          programs: new Map(),
        },
      });
      await checker.start();
      ends.push(() => checker.stop());
    }
    const answerer = await Answerer.start({ listen: [], name: 'ns1', failed: () => undefined });
    ends.push(() => answerer.close());
    const client = new LinkClient({
      ...{ log, tls: await testMachine(authority, 'dns', 'ns1', log), role: 'gslb' },
      urls: [`wss://127.0.0.1:${links.nameServerPort}/link`],
      documents: new Feed({ answerer, log, resend: () => undefined, changed: () => undefined }),
      facts: () => ({ name: 'ns1', addresses: [{ address: '192.0.2.53', port: 53 }], zones: {}, version: 'test' }),
    });
    client.start();
    ends.push(() => client.stop());
    const up = () => {
      const [shop] = answerer.plan(`${zone}.`)?.names ?? [];
      return (shop?.members ?? []).flatMap(({ memberId, up: isUp }) => (isUp ? [memberId] : [])).sort();
    };
    // Shows where a change is stuck.
    const standing = async (): Promise<string> => {
      const tables = {
        votes: 'SELECT member_id, vantage_point_id, verdict, incarnation, epoch, since_at, noted_at FROM gslb_vote',
        checkers: 'SELECT name, incarnation, epoch, batch, said_at, heard_at, abstains, machine_load FROM gslb_checker',
        verdicts: 'SELECT * FROM gslb_verdict',
        flips: 'SELECT member_id, at, verdict_after, late FROM gslb_flip',
        changes: 'SELECT generation, fqdn FROM gslb_zone_change',
        owed: 'SELECT kind, `key`, due_at, attempts, last_error FROM owed_work WHERE due_at IS NOT NULL',
        now: 'SELECT NOW(3) AS now',
      };
      const rows = Object.entries(tables).map(async ([name, sql]) => [name, await db.query(sql)] as const);
      return JSON.stringify({ ...Object.fromEntries(await Promise.all(rows)), one, zones: answerer.stats().zones });
    };
    await waitFor('both to be answered', () => up().join() === [one, two].sort().join());
    await die(first.server);
    await waitFor('the dead one to leave', () => up().join() === two).catch(async (error: Error) => {
      throw new Error(`${error.message}; ${await standing()}`);
    });
    first.server.listen(first.port, '127.0.0.1');
    await waitFor('it to come back', () => up().length === 2);
    expect(await place.count('SELECT COUNT(*) AS n FROM gslb_flip WHERE late = 1')).toBe(0);
  },
  200_000 * patience,
);

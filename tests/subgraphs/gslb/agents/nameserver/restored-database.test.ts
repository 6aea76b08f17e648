// Name servers after the conductor's database was restored. They answer from the restored state, and no serial stands
// for two contents.
// needs: bind9-dnsutils
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Answerer } from '../../../../../dns/answerer/answerer.ts';
import { runProgram } from '../../../../../embedded/run-program.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import type { ConductorLinks } from '../../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { backUpTables, restoreTables } from '../../../../support/stores/restored-tables.ts';
import { GslbPlace, zone } from '../../support/gslb-place.ts';
import { linksOf, Serials, type ServedZone, serveZone } from '../../support/served-zone.ts';

let folder: TemporaryFolder;
let place: GslbPlace;
let authority: CertificateAndKey;
let links: ConductorLinks;
let serials: Serials;
const served = new Set<ServedZone>();

beforeEach(async () => {
  serials = new Serials();
  folder = await temporaryFolder();
  place = await GslbPlace.open();
  authority = await testAuthority();
  links = await linksOf(place, authority);
});

afterEach(async () => {
  for (const { server } of served) await server.stop();
  served.clear();
  await links.stop();
  await place.close();
  await folder.remove();
});

async function serve(name: string, tls: TestMachine): Promise<ServedZone> {
  const one = await serveZone({ place, folder: folder.path, port: links.nameServerPort ?? 0 }, name, tls);
  served.add(one);
  return one;
}

async function stop(one: ServedZone): Promise<void> {
  served.delete(one);
  await one.server.stop();
}

async function answersOf({ answerer }: ServedZone, label: string): Promise<string> {
  const words = ['@127.0.0.1', '-p', String(answerer.ports[0]), '+time=2', '+tries=3', `${label}.${zone}`];
  const { stdout } = await runProgram('dig', words);
  return /status: (\w+)/.exec(stdout)?.[1] ?? '';
}

const namesOf = ({ answerer }: ServedZone) =>
  (answerer.plan(`${zone}.`)?.names ?? []).map(({ fqdn }) => fqdn.split('.')[0]).sort();

test.each([
  ['the control plane has noticed', true],
  ['nobody has noticed', false],
])(
  'after a restore that %s, the new state is served, serials rise, and none stands for two contents',
  async (_, lossy) => {
    const { db, log } = place.ground;
    const machines = [await testMachine(authority, 'dns', 'ns1', log), await testMachine(authority, 'dns', 'ns2', log)];
    const [tls1, tls2] = machines;
    if (tls1 === undefined || tls2 === undefined) throw new Error('there are two machines');
    await place.member('one', { addresses: ['192.0.2.1'] });
    await place.name('kept');
    const ns1 = await serve('ns1', tls1);
    let ns2 = await serve('ns2', tls2);
    const both = (names: string) => waitFor(names, () => [ns1, ns2].every((each) => namesOf(each).join() === names));
    await both('kept');
    await backUpTables(db);
    for (let count = 0; count < 5; count += 1) await place.name(`late${count}`);
    await both('kept,late0,late1,late2,late3,late4');
    const before = [serials.serialOf(ns1), serials.serialOf(ns2)];
    await stop(ns2);

    await restoreTables(db, { lossy });
    // The change gets a number that the first server has already seen.
    await place.name('fresh');
    await waitFor('the restored zone', () => namesOf(ns1).join() === 'fresh,kept');
    expect(serials.serialOf(ns1)).toBeGreaterThan(before[0] ?? 0);
    expect(await answersOf(ns1, 'late0')).toBe('NXDOMAIN');
    expect(await answersOf(ns1, 'fresh')).toBe('NOERROR');

    // The server comes back with data from after the backup.
    ns2 = await serve('ns2', tls2);
    expect(namesOf(ns2)).toContain('late4');
    await both('fresh,kept');
    await waitFor('one serial', () => serials.serialOf(ns1) === serials.serialOf(ns2));
    expect(serials.serialOf(ns2)).toBeGreaterThan(before[1] ?? 0);
    await place.name('later');
    await both('fresh,kept,later');
    await waitFor('one serial', () => serials.serialOf(ns1) === serials.serialOf(ns2));
    expect(serials.clashes).toEqual([]);
    await waitFor('true ages', () =>
      [ns1, ns2].every(({ server }) => (server.figures().heardAgoMs ?? Number.POSITIVE_INFINITY) < 5_000),
    );
    for (const { server } of [ns1, ns2]) expect(server.figures()).toMatchObject({ refused: {}, connected: true });
    // Requests finish only once the current answers include them.
    await waitFor('the end of the requests', async () => {
      for (const { id } of await db.query<{ id: string }>("SELECT id FROM gslb WHERE provisioning_status = 'PENDING'"))
        await place.work('gslb-plan', id);
      return (await place.count("SELECT COUNT(*) AS n FROM gslb WHERE provisioning_status = 'ACTIVE'")) === 3;
    });
  },
);

test('a server with a serial of another history never gets a lower one, and an impossible generation is refused', async () => {
  const { log } = place.ground;
  await place.name('kept');
  const tls = await testMachine(authority, 'dns', 'ns1', log);
  let one = await serve('ns1', tls);
  await waitFor('the zone', () => namesOf(one).join() === 'kept');
  const plan = one.answerer.plan(`${zone}.`);
  if (plan === undefined) throw new Error('there is a plan');
  await stop(one);
  // Simulates a second restore: a history unknown to this database, with a higher serial.
  const history = plan.history.replace(/^.{8}/, '00000000');
  const { sealer } = place.ground;
  const disk = { path: join(folder.path, 'ns1'), sealer };
  const other = await Answerer.start({ listen: [], name: 'ns1', disk, failed: () => undefined });
  other.put({ ...plan, history, generation: 5_000_000, names: [] });
  await other.close();
  one = await serve('ns1', tls);
  expect(serials.serialOf(one)).toBe(5_000_000);
  await waitFor('the zone', () => namesOf(one).join() === 'kept');
  expect(serials.serialOf(one)).toBeGreaterThan(5_000_000);
  expect(one.answerer.plan(`${zone}.`)?.history).toBe(plan.history);
});

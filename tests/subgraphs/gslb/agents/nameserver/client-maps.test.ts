// Client maps on the wire, on disk and in the answers of a real name server, with the real conductor. Each of a hundred
// names has its own map.
// needs: bind9-dnsutils
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Answerer } from '../../../../../dns/answerer/answerer.ts';
import { mapIdOf } from '../../../../../dns/policy/client-blocks.ts';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { LinkClient } from '../../../../../platform/link/link-client.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import type { Position } from '../../../../../platform/values/positions.ts';
import { Feed } from '../../../../../subgraphs/gslb/agents/nameserver/feed.ts';
import type { ConductorLinks } from '../../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { mapKey, mapPosition, mapsKey, zoneKey } from '../../../../../subgraphs/gslb/wire/dns-wire.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { GslbPlace, zone } from '../../support/gslb-place.ts';
import { linksOf, type ServedZone, serveZone } from '../../support/served-zone.ts';

const names = 100;
const addresses = { eu: '192.0.2.1', us: '192.0.2.2' } as const;
type Region = keyof typeof addresses;

/** A map of 100 blocks. The clients in these tests use the first block. */
function blocksOf(name: number, region: Region) {
  const others = Array.from({ length: 99 }, (_, at) => ({
    cidr: `20.${name}.${at >> 2}.${64 * (at & 3)}/26`,
    region: 'us',
  }));
  return [{ cidr: '198.51.100.0/24', region }, ...others];
}

const mapBytes = JSON.stringify(blocksOf(1, 'eu')).length;
/** Allowance for a plan, a head, acknowledgements and pings. */
const restBytes = 16 * 1024;

/** Sits between the name servers and the conductor and counts the bytes sent to the name servers. */
class CountedWire {
  bytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(portOf: () => number) {
    this.#server = createServer((near) => {
      const far = connect(portOf(), '127.0.0.1');
      far.on('data', (data) => {
        this.bytes += data.length;
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  open(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let folder: TemporaryFolder;
let place: GslbPlace;
let authority: CertificateAndKey;
let links: ConductorLinks | undefined;
let linkPort = 0;
let wire: CountedWire;
let tls: TestMachine;
let served: ServedZone | undefined;
const ids: string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  place = await GslbPlace.open();
  authority = await testAuthority();
  await conduct();
  wire = new CountedWire(() => linkPort);
  await wire.open();
  tls = await testMachine(authority, 'dns', 'ns1', place.ground.log);
  for (const [region, address] of Object.entries(addresses)) {
    await place.vantagePointWithout(region);
    await place.member(region, { region, addresses: [address] });
  }
  for (let at = 0; at < names; at += 1) ids.push(await geoName(at));
  await serve();
});
afterAll(async () => {
  await stop();
  await links?.stop();
  await wire?.close();
  await place?.close();
  await folder?.remove();
});

const geoName = (at: number) =>
  place.name(`n${at}`, { policy: { preset: 'GEO', steps: [] }, clientBlocks: blocksOf(at, 'eu') });

async function conduct(): Promise<void> {
  links = await linksOf(place, authority, linkPort);
  linkPort = links.nameServerPort ?? 0;
}

async function unlink(): Promise<void> {
  await links?.stop();
  links = undefined;
}

/** Starts the name server with the contents of the folder. */
async function start(): Promise<void> {
  served = await serveZone({ place, folder: folder.path, port: wire.port }, 'ns1', tls);
}

async function serve(): Promise<void> {
  await start();
  await current();
}

async function stop(): Promise<void> {
  await served?.server.stop();
  served = undefined;
}

function server(): ServedZone {
  if (served === undefined) throw new Error('no name server is started');
  return served;
}

/** Waits until the server answers from the database's current generation. */
async function current(): Promise<void> {
  await waitFor('the generation of the database', async () => {
    const generation = await place.count('SELECT generation AS n FROM gslb_zone');
    return server().answerer.stats().zones[0]?.position.number === generation && isSettled();
  });
}

/** The server has every map that a name refers to, and no other. */
function isSettled(): boolean {
  const { answerer } = server();
  const used = new Set((answerer.plan(`${zone}.`)?.names ?? []).map(({ clientMapId }) => clientMapId));
  return [...answerer.maps.keys()].every((id) => used.has(id)) && answerer.zonesWithoutMaps().size === 0;
}

/** Sets the client blocks of an existing name. */
async function setBlocks(at: number, blocks: ReturnType<typeof blocksOf>): Promise<void> {
  const id = ids[at] ?? '';
  await place.ground.db.execute(
    "UPDATE gslb SET spec = JSON_SET(spec, '$.clientBlocks', JSON_COMPACT(?)) WHERE id = ?",
    [...[JSON.stringify(blocks), id]],
  );
  await place.work('gslb-plan', id);
}

/** Bytes sent to the server until it answers with the change. */
async function sentFor(change: () => Promise<unknown>): Promise<number> {
  const before = wire.bytes;
  await change();
  await current();
  return wire.bytes - before;
}

/** The answer for a client in the first block. */
async function dig(at: number): Promise<string> {
  const words = ['@127.0.0.1', '-p', String(server().answerer.ports[0]), '+time=2', '+tries=3'];
  const { stdout } = await runProgram('dig', [...words, '+subnet=198.51.100.7/32', `n${at}.${zone}`]);
  return /[ \t]IN[ \t]+A[ \t]+(\S+)/.exec(stdout)?.[1] ?? /status: (\w+)/.exec(stdout)?.[1] ?? '';
}

interface Scripted {
  readonly held: (held: ReadonlyMap<string, Position>) => ReadonlyMap<string, Position>;
  readonly asked?: (key: string) => void;
  /** Called when a whole document has arrived. */
  readonly got?: (key: string) => void;
}

/** A name server that reports whatever positions the test wants. */
async function linked(name: string, answerer: Answerer, { held, asked, got }: Scripted) {
  const { log } = place.ground;
  const machine = await testMachine(authority, 'dns', name, log);
  const resend = (key: string) => {
    asked?.(key);
    client.resend(key);
  };
  const feed = new Feed({ answerer, log, resend, changed: () => undefined });
  const client: LinkClient = new LinkClient({
    ...{ tls: machine, log, role: 'gslb', urls: [`wss://127.0.0.1:${linkPort}/link`] },
    documents: {
      held: () => held(feed.held()),
      put: (key, position, document) => {
        got?.(key);
        return feed.put(key, position, document);
      },
      change: (key, change) => feed.change(key, change),
      remove: (key) => feed.remove(key),
    },
    facts: () => ({ name, addresses: [{ address: '192.0.2.53', port: 53 }], zones: {}, version: '0' }),
  });
  client.start();
  return { client, feed, machine };
}

const mapsPath = () => join(folder.path, 'ns1', 'maps');
const mapFiles = async () => (await readdir(mapsPath())).sort();
const mapsHeld = () => [...server().answerer.maps.keys()].map((id) => `${id}.json`).sort();

/** Waits until the disk has the same maps as the server. */
async function onDisk(): Promise<void> {
  await waitFor('the maps on disk', async () => (await mapFiles()).join() === mapsHeld().join());
}

test('a change of one name among a hundred maps sends that name', async () => {
  const [id = ''] = ids;
  const bytes = await sentFor(async () => {
    await place.ground.db.execute("UPDATE gslb SET spec = JSON_SET(spec, '$.ttlSeconds', 77) WHERE id = ?", [id]);
    await place.work('gslb-plan', id);
  });
  expect(bytes).toBeLessThan(restBytes);
  expect(
    server()
      .answerer.plan(`${zone}.`)
      ?.names.filter(({ ttlSeconds }) => ttlSeconds === 77),
  ).toHaveLength(1);
});

test('a changed map is sent alone, and is answered', async () => {
  expect(await dig(3)).toBe(addresses.eu);
  const bytes = await sentFor(() => setBlocks(3, blocksOf(3, 'us')));
  expect(bytes).toBeLessThan(mapBytes + restBytes);
  expect(await dig(3)).toBe(addresses.us);
  expect(await dig(4)).toBe(addresses.eu);
});

test('a map that is used again, and a new name with a map, are sent alone', async () => {
  const bytes = await sentFor(() => setBlocks(3, blocksOf(3, 'eu')));
  expect(bytes).toBeLessThan(mapBytes + restBytes);
  expect(await dig(3)).toBe(addresses.eu);
  const more = await sentFor(async () => ids.push(await geoName(names)));
  expect(more).toBeLessThan(mapBytes + restBytes);
  expect(server().server.figures().refused).toEqual({});
});

test('a map that no name uses any more is dropped, also from the disk', async () => {
  await onDisk();
  const before = await mapFiles();
  await setBlocks(5, []);
  await current();
  await onDisk();
  const gone = `${mapIdOf(blocksOf(5, 'eu'))}.json`;
  expect(await mapFiles()).toEqual(before.filter((file) => file !== gone));
  expect(before).toContain(gone);
});

test('a server started without a conductor answers from the maps on its disk', async () => {
  await setBlocks(6, blocksOf(6, 'us'));
  await current();
  await unlink();
  await stop();
  await start();
  expect(await dig(6)).toBe(addresses.us);
  expect(await dig(7)).toBe(addresses.eu);
});

test('a map missing from the disk is requested again, and its name is not answered until it arrives', async () => {
  await stop();
  // One file has the content of another valid map, and one is missing.
  const [changed, lost] = [8, 9].map((at) => join(mapsPath(), `${mapIdOf(blocksOf(at, 'eu'))}.json`));
  await writeFile(changed ?? '', JSON.stringify(blocksOf(8, 'us')));
  await writeFile(lost ?? '', (await readFile(lost ?? '', 'utf8')).slice(0, 100));
  await start();
  expect([await dig(7), await dig(8), await dig(9)]).toEqual([addresses.eu, 'SERVFAIL', 'SERVFAIL']);
  const before = wire.bytes;
  await conduct();
  await current();
  expect([await dig(7), await dig(8), await dig(9)]).toEqual([addresses.eu, addresses.eu, addresses.eu]);
  // At most the zone and two of its hundred maps are sent.
  expect(wire.bytes - before).toBeLessThan(4 * mapBytes + 100 * 2 * 1024);
  await onDisk();
  expect(server().server.figures().refused).toEqual({});
});

test('a zone with a map that the conductor wrongly assumes present is refused, and the map is requested', async () => {
  const answerer = await Answerer.start({ listen: [], name: 'ns3', failed: () => undefined });
  const asked: string[] = [];
  const { client, feed } = await linked('ns3', answerer, {
    // The server does not have this map.
    held: (held) => new Map([...held, [mapKey(mapIdOf(blocksOf(10, 'eu'))), mapPosition]]),
    asked: (key) => asked.push(key),
  });
  await waitFor('the zone', () => answerer.plan(`${zone}.`) !== undefined);
  expect(asked).toEqual([mapKey(mapIdOf(blocksOf(10, 'eu'))), zoneKey(`${zone}.`)]);
  expect([answerer.zonesWithoutMaps().size, feed.refused()]).toEqual([0, {}]);
  await client.stop();
  await answerer.close();
});

test('an older name server gets whole heads, and keeps using its disk after an upgrade', async () => {
  const documents: string[] = [];
  const disk = { path: join(folder.path, 'ns2'), sealer: place.ground.sealer };
  const older = await Answerer.start({ listen: [], name: 'ns2', disk, failed: () => undefined });
  const { client, machine } = await linked('ns2', older, {
    held: (held) => new Map([...held].filter(([key]) => key !== mapsKey)),
    got: (key) => documents.push(key),
  });
  const regionOf = (at: number) => {
    const plan = older.plan(`${zone}.`);
    const mapId = plan?.names.find(({ fqdn }) => fqdn === `n${at}.${zone}.`)?.clientMapId;
    return plan?.clientMaps.find((map) => map.mapId === mapId)?.blocks[0]?.region;
  };
  await waitFor('the zone', () => regionOf(11) === 'eu');
  await setBlocks(11, blocksOf(11, 'us'));
  await waitFor('the changed map', () => regionOf(11) === 'us');
  expect(documents).toEqual([zoneKey(`${zone}.`)]);
  expect(older.maps.size).toBe(0);
  await client.stop();
  await older.close();

  await stop();
  served = await serveZone({ place, folder: folder.path, port: wire.port }, 'ns2', machine);
  expect([await dig(11), await dig(12)]).toEqual([addresses.us, addresses.eu]);
  await setBlocks(12, blocksOf(12, 'us'));
  await current();
  expect([await dig(11), await dig(12)]).toEqual([addresses.us, addresses.us]);
  // Its other names now refer to maps by content.
  expect(
    server()
      .answerer.plan(`${zone}.`)
      ?.clientMaps.map(({ mapId }) => mapId),
  ).toEqual(['regions']);
  expect(server().answerer.maps.size).toBe(names);
});

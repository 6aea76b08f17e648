// Publishers are killed and paused at random, and servers killed, while names change. No server ever returns to an older
// generation or answers undeclared records, and in the end all have the desired records.
import { type ChildProcess, fork } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AddressRecord, isPublished } from '../../dns/records/record-set.ts';
import { declareRecords, readRecordSet, withdrawRecords } from '../../dns/records/record-store.ts';
import { fenceName, parseFence } from '../../dns/servers/fence.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import type { TestContext } from '../support/product/test-context.ts';
import { openDnsContext } from './support/dns-context.ts';
import { bind, type NameServer, powerdns, zone } from './support/name-servers.ts';

interface Seen {
  readonly faults: readonly string[];
  readonly changes: number;
}

const names = ['web', 'api', 'img'].map((label) => `${label}.${zone}`);
const owner = 'loadbalancer/1';
const rounds = 60;
let ground: TestContext;
let servers: readonly NameServer[];
const publishers: ChildProcess[] = [];

beforeAll(async () => {
  ground = await openDnsContext();
  servers = [await powerdns(), await bind()];
});

afterAll(async () => {
  for (const each of publishers) each.kill('SIGKILL');
  for (const server of servers) await server.remove();
  await ground.stop();
});

function startPublisher(): ChildProcess {
  const options = {
    connection: ground.place.connection,
    servers: servers.map(({ place, keyFile }) => ({ place, keyFile })),
  };
  return fork(join(import.meta.dirname, 'publisher-process.ts'), [JSON.stringify(options)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
}

/** Declared records, by name and generation. */
const declared = new Map<string, string>();

async function change(name: string, round: number): Promise<void> {
  await ground.db.transaction(async (tx) => {
    if (Math.random() < 0.15) return withdrawRecords(tx, ground.wake, { zone, name, owner });
    const records: AddressRecord[] = [{ type: 'A', value: `10.0.${names.indexOf(name)}.${round}` }];
    await declareRecords(tx, ground.wake, { zone, name, owner, records, ttlSeconds: 5 });
  });
  const set = await readRecordSet(ground.db, { zone, name });
  if (set !== undefined) declared.set(`${name} ${set.generation}`, set.records.map(({ value }) => value).join());
}

/** Watches one name at one server until `isOver`. Returns the faults, and the number of changes of the name. */
async function watch({ place }: NameServer, name: string, isOver: () => boolean): Promise<Seen> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${place.address}:${place.port}`]);
  const fenceNow = async () => {
    const texts = await resolver.resolveTxt(fenceName(name)).catch(() => []);
    return parseFence(texts[0]?.join('') ?? '');
  };
  const faults: string[] = [];
  let [newest, changes] = [0, 0];
  while (!isOver()) {
    const before = await fenceNow();
    // Undefined if there was no answer, as from a server that was just killed.
    const answer = await resolver.resolve4(name).then(String, () => undefined);
    const after = await fenceNow();
    await sleep(5);
    if (before === undefined || after === undefined) continue;
    if (before.generation < newest || after.generation < before.generation)
      faults.push(`${name}: from ${newest} back to ${before.generation}, ${after.generation}`);
    if (after.generation > newest) changes += 1;
    newest = after.generation;
    const wanted = declared.get(`${name} ${before.generation}`);
    if (before.generation === after.generation && wanted !== undefined && answer !== undefined && answer !== wanted)
      faults.push(`${name} ${before.generation}: ${answer} instead of ${wanted}`);
  }
  return { faults, changes };
}

test('killed and paused publishers', async () => {
  for (let count = 0; count < 3; count += 1) publishers.push(startPublisher());
  let isOver = false;
  const watches = servers.flatMap((server) => names.map((name) => watch(server, name, () => isOver)));
  for (let round = 1; round <= rounds; round += 1) {
    await Promise.all(names.map((name) => change(name, round)));
    await sleep(Math.random() * 200);
    const index = Math.floor(Math.random() * publishers.length);
    const publisher = publishers[index] as ChildProcess;
    if (round % 15 === 0) {
      const server = servers[(round / 15) % 2] as NameServer;
      await server.kill();
      // It is away for several changes.
      await sleep(200);
      await server.start();
    } else if (round % 7 === 0) {
      publisher.kill('SIGKILL');
      publishers[index] = startPublisher();
    } else if (round % 3 === 1) {
      // Longer than its claim lasts, so that another process takes its names in the meantime.
      publisher.kill('SIGSTOP');
      setTimeout(() => publisher.kill('SIGCONT'), 700).unref();
    }
  }
  for (const name of names) {
    const records: AddressRecord[] = [{ type: 'A', value: '192.0.2.200' }];
    await ground.db.transaction((tx) => declareRecords(tx, ground.wake, { zone, name, owner, records, ttlSeconds: 5 }));
    await waitFor(`the publication of ${name}`, async () => {
      const set = await readRecordSet(ground.db, { zone, name });
      return set !== undefined && isPublished(set);
    });
  }
  // Paused publishers wake up late.
  await sleep(1_000);
  isOver = true;
  const seen = await Promise.all(watches);
  expect(seen.flatMap(({ faults }) => faults)).toEqual([]);
  for (const { changes } of seen) expect(changes).toBeGreaterThan(0);
  for (const server of servers) for (const name of names) expect(await server.dig(name, 'A')).toEqual(['192.0.2.200']);
  for (const each of publishers) {
    each.kill('SIGKILL');
    await once(each, 'exit');
  }
}, 180_000);

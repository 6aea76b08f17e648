// Among the data hosts' name servers only the primary's counts. After a promotion it begins empty, and is filled from the database.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { followPrimary } from '../../dns/publish/data-host-servers.ts';
import { oweFullDriftChecks } from '../../dns/publish/drift-queue.ts';
import { readServers, serverId } from '../../dns/publish/server-states.ts';
import { isPublished } from '../../dns/records/record-set.ts';
import { declareRecords, readRecordSet } from '../../dns/records/record-store.ts';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import type { LedBy } from '../../platform/database/database.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type OwnNetwork, ownNetwork } from '../support/machine/own-network.ts';
import type { TestContext } from '../support/product/test-context.ts';
import { openDnsContext } from './support/dns-context.ts';
import { type NameServer, powerdns, zone } from './support/name-servers.ts';
import { TestPublisher } from './support/publisher.ts';

let network: OwnNetwork;
let ground: TestContext;
let hosts: readonly [NameServer, NameServer];
let port: number;

beforeAll(async () => {
  network = await ownNetwork();
  ground = await openDnsContext();
  port = await freePort();
  const host = (last: number) => powerdns(`127.${network.part}.0.${last}`, [], port);
  hosts = [await host(1), await host(2)];
});

afterAll(async () => {
  for (const each of hosts ?? []) await each.remove();
  await ground?.stop();
  network?.release();
});

beforeEach(async () => {
  for (const table of ['dns_record_set', 'dns_server', 'owed_work']) await ground.db.execute(`DELETE FROM ${table}`);
});

/** The search for a cluster's primary, which the test chooses, and a worker's use of the result. */
class Led {
  ledBy: LedBy | undefined;
  readonly publisher: TestPublisher;
  looks: Promise<void> = Promise.resolve();
  #tell: (led: LedBy) => void = () => undefined;

  constructor() {
    const keys = new Map(hosts.map(({ place, key }) => [place.address, key]));
    const servers = followPrimary({
      db: this,
      open: (address) => {
        const key = keys.get(address);
        if (key === undefined) throw new Error(`there is no host ${address}`);
        return new Rfc2136Server({ place: { address, port }, key, timeoutMs: 2_000 });
      },
      onPrimary: () => {
        this.looks = oweFullDriftChecks(ground);
      },
    });
    this.publisher = new TestPublisher(ground, servers);
  }

  onPrimary(listener: (led: LedBy) => void): void {
    this.#tell = listener;
  }

  /** As its agent does when it opens writes. */
  async promote({ place: { address } }: NameServer): Promise<void> {
    await ground.db.execute(
      "INSERT INTO db_timeline (epoch, lossy, gtid) SELECT COALESCE(MAX(epoch), 0) + 1, 0, '' FROM db_timeline",
    );
    await this.find(address);
  }

  async find(address: string): Promise<void> {
    const [row] = await ground.db.query<{ epoch: number }>('SELECT MAX(epoch) AS epoch FROM db_timeline');
    const location = { host: address, user: '', password: '', database: '' };
    this.ledBy = { location, epoch: row?.epoch ?? 0 };
    this.#tell(this.ledBy);
    await this.looks;
  }
}

async function declare(name: string): Promise<void> {
  const records = [{ type: 'A', value: '192.0.2.1' } as const];
  const wanted = { zone, name, owner: 'loadbalancer/1', records, ttlSeconds: 5 };
  await ground.db.transaction((tx) => declareRecords(tx, ground.wake, wanted));
}

async function published(name: string): Promise<boolean> {
  const set = await readRecordSet(ground.db, { zone, name });
  return set !== undefined && isPublished(set);
}

test("names are at the primary's alone, and after a promotion at the next one's", async () => {
  const led = new Led();
  const [first, second] = hosts;
  const names = ['one', 'two', 'three'].map((each) => `${each}.${zone}`);
  await led.promote(first);
  for (const name of names) await declare(name);
  expect(await led.publisher.runDue('dns-publish')).toEqual([]);
  expect(await Promise.all(names.map(published))).toEqual([true, true, true]);
  expect(await second.dig(names[0] ?? '', 'A')).toEqual([]);

  await led.promote(second);
  expect(await led.publisher.runDue('dns-look')).toEqual([]);
  expect(await led.publisher.runDue('dns-publish')).toEqual([]);
  for (const name of names) expect(await second.dig(name, 'A')).toEqual(['192.0.2.1']);
});

test('answers of the last primary do not count: a process that does not know the next primary records nothing', async () => {
  const [late, next] = [new Led(), new Led()];
  const [first, second] = hosts;
  await late.promote(first);
  const name = `late.${zone}`;
  await declare(name);
  await next.promote(second);
  const [failure, ...others] = await late.publisher.runDue('dns-publish');
  expect({ failure, others }).toMatchObject({ failure: { code: 'CHANGED_MEANWHILE' }, others: [] });
  // The update was sent to it without effect.
  expect(await first.dig(name, 'A')).toEqual(['192.0.2.1']);
  expect(await published(name)).toBe(false);
  const [look] = await late.publisher.runDue('dns-look');
  expect(look).toMatchObject({ code: 'CHANGED_MEANWHILE' });

  await late.find(second.place.address);
  await dueAgain();
  expect(await late.publisher.runDue('dns-publish')).toEqual([]);
  expect(await second.dig(name, 'A')).toEqual(['192.0.2.1']);
  expect(await published(name)).toBe(true);
});

test('a name server that starts after the promotion is filled, including the last one’s records', async () => {
  const led = new Led();
  const [first, second] = hosts;
  await led.promote(first);
  const name = `slow.${zone}`;
  await declare(name);
  expect(await led.publisher.runDue('dns-publish')).toEqual([]);
  await second.kill();
  await led.promote(second);
  expect(await led.publisher.runDue('dns-look')).toEqual([]);
  const id = serverId(null, `${second.place.address}:${port}`);
  expect((await readServers(ground.db, [id])).get(id)).toMatchObject({ state: 'FAILING' });
  const later = `later.${zone}`;
  await declare(later);
  await led.publisher.runDue('dns-publish');
  expect(await published(later)).toBe(false);

  await second.start();
  await dueAgain();
  for (const kind of ['dns-server', 'dns-look', 'dns-publish'] as const)
    expect(await led.publisher.runDue(kind)).toEqual([]);
  expect(await second.dig(name, 'A')).toEqual(['192.0.2.1']);
  expect(await second.dig(later, 'A')).toEqual(['192.0.2.1']);
  expect(await published(later)).toBe(true);
});

test('a name waits while no primary is known', async () => {
  const led = new Led();
  const name = `early.${zone}`;
  await declare(name);
  expect(await led.publisher.runDue('dns-publish')).toMatchObject([{ code: 'CHANGED_MEANWHILE' }]);
  await led.promote(hosts[0]);
  await dueAgain();
  expect(await led.publisher.runDue('dns-publish')).toEqual([]);
  expect(await published(name)).toBe(true);
});

/** After the pause that follows a failure. */
async function dueAgain(): Promise<void> {
  await ground.db.execute('UPDATE owed_work SET due_at = NOW(3) WHERE due_at IS NOT NULL');
}

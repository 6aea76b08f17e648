// From a declaration to the answer of a real server, with failures on the way.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fenceKeptMs } from '../../dns/publish/publish-queue.ts';
import { isAnswered, isPublished, type RecordSet } from '../../dns/records/record-set.ts';
import { type Declaration, declareRecords, readRecordSet, withdrawRecords } from '../../dns/records/record-store.ts';
import { fenceName } from '../../dns/servers/fence.ts';
import type { RecordServer } from '../../dns/servers/record-server.ts';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import { OwedWork } from '../../platform/owed/owed-work.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import type { TestContext } from '../support/product/test-context.ts';
import { openDnsContext } from './support/dns-context.ts';
import { bind, type NameServer, powerdns, zone } from './support/name-servers.ts';
import { TestPublisher } from './support/publisher.ts';

let ground: TestContext;
let servers: readonly NameServer[];
let pdns: NameServer;
let records: readonly RecordServer[];
let publisher: TestPublisher;
let name: string;
let count = 0;
const owner = 'loadbalancer/1';
const a = (value: string) => ({ type: 'A', value }) as const;

beforeAll(async () => {
  ground = await openDnsContext();
  servers = [await powerdns(), await bind()];
  [pdns] = servers as [NameServer];
  records = servers.map(({ place, key }) => new Rfc2136Server({ place, key, timeoutMs: 2_000 }));
  publisher = new TestPublisher(ground, records);
});

beforeEach(async () => {
  count += 1;
  name = `web${count}.default.${zone}`;
  for (const table of ['dns_record_set', 'dns_server', 'owed_work']) await ground.db.execute(`DELETE FROM ${table}`);
});

afterAll(async () => {
  for (const server of servers) await server.remove();
  await ground.stop();
});

function declare(addresses: readonly string[], change: Partial<Declaration> = {}): Promise<RecordSet> {
  const wanted = { zone, name, owner, ttlSeconds: 5, followUp: { kind: 'lb-reconcile', key: '1' }, ...change };
  return ground.db.transaction((tx) => declareRecords(tx, ground.wake, { ...wanted, records: addresses.map(a) }));
}

const withdraw = () => ground.db.transaction((tx) => withdrawRecords(tx, ground.wake, { zone, name, owner }));

async function read(): Promise<RecordSet> {
  const set = await readRecordSet(ground.db, { zone, name });
  if (set === undefined) throw new Error(`there is no ${name}`);
  return set;
}

async function answers(type = 'A', asked = name): Promise<(readonly string[])[]> {
  return Promise.all(servers.map((server) => server.dig(asked, type)));
}

async function followUps(): Promise<number> {
  const sql = "SELECT wanted FROM owed_work WHERE kind = 'lb-reconcile'";
  return Number((await ground.db.query<{ wanted: number }>(sql))[0]?.wanted ?? 0);
}

async function owedFor(kind: string, key: string): Promise<number> {
  const sql = 'SELECT COUNT(*) AS n FROM owed_work WHERE kind = ? AND `key` = ?';
  return Number((await ground.db.query<{ n: number }>(sql, [kind, key]))[0]?.n);
}

/** Repeats until nothing fails any more. */
async function publishAll(): Promise<void> {
  await waitFor('the publication', async () => {
    const errors = [...(await publisher.runDue('dns-server')), ...(await publisher.runDue())];
    return errors.length === 0 && isPublished(await read());
  });
}

/** Pretends that the withdrawal was published that long ago. */
async function age(ms: number): Promise<void> {
  await ground.db.execute('UPDATE dns_record_set SET published_at = published_at - INTERVAL ? MICROSECOND', [
    ms * 1000,
  ]);
  await ground.db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'dns-publish' AND due_at IS NOT NULL");
}

test('a declared name is on both servers, and its owner is notified once', async () => {
  await declare(['192.0.2.1', '192.0.2.2']);
  expect(await publisher.runDue()).toEqual([]);
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.1', '192.0.2.2']));
  const set = await read();
  expect(isPublished(set)).toBe(true);
  expect(set.publishedRecords).toEqual(set.records);
  expect(set.publishedAt).toBeInstanceOf(Date);
  expect(await followUps()).toBe(1);
  expect(await publisher.runDue()).toEqual([]);
  expect(await followUps()).toBe(1);
});

test('a name that is declared without addresses keeps its answer', async () => {
  await declare(['192.0.2.1']);
  await publishAll();
  await declare([]);
  await publishAll();
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.1']));
});

test('a withdrawn name is removed at once; its fence stays until no late writer is possible, then fence and row are removed', async () => {
  await declare(['192.0.2.1']);
  await publishAll();
  await withdraw();
  await publishAll();
  expect(await answers()).toEqual([[], []]);
  expect(await answers('TXT', fenceName(name))).toEqual(Array(2).fill([expect.stringContaining('records=0')]));
  await age(fenceKeptMs - 60_000);
  expect(await publisher.runDue()).toEqual([]);
  expect(await read()).toMatchObject({ withdrawn: true });
  await age(60_000);
  expect(await publisher.runDue()).toEqual([]);
  expect(await readRecordSet(ground.db, { zone, name })).toBeUndefined();
  expect(await answers('TXT', fenceName(name))).toEqual([[], []]);
});

test('a name that is declared again while its fence is removed is published', async () => {
  await declare(['192.0.2.1']);
  await publishAll();
  await withdraw();
  await publishAll();
  await age(fenceKeptMs);
  let again: Promise<unknown> | undefined;
  const slow = records.map((server) => ({
    ...wrap(server),
    forget: async (...args: Parameters<RecordServer['forget']>) => {
      again ??= declare(['192.0.2.9'], { owner: 'gslb/1' });
      await again;
      return server.forget(...args);
    },
  }));
  expect(await new TestPublisher(ground, slow).runDue()).toEqual([]);
  await publishAll();
  expect(await read()).toMatchObject({ owner: 'gslb/1', withdrawn: false });
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.9']));
});

test('one server is down for a while: the other has the name, the status shows this, and it is published when both have it', async () => {
  await pdns.kill();
  await declare(['192.0.2.1']);
  expect(await publisher.runDue()).toEqual([]);
  expect((await answers())[1]).toEqual(['192.0.2.1']);
  const { error, ...set } = await read();
  expect(isAnswered({ ...set, error })).toBe(true);
  expect(error).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining(`127.0.0.1:${pdns.place.port}`),
  });
  expect(isPublished({ ...set, error })).toBe(false);
  expect(await followUps()).toBe(1);
  // It is reported once, not with each attempt.
  await waitFor('another attempt', async () => (await publisher.runDue('dns-server')).length > 0);
  expect(await publisher.runDue('dns-publish')).toEqual([]);
  expect(await followUps()).toBe(1);
  // Nobody waits for it: a further change reaches the other server at once.
  await declare(['192.0.2.2']);
  expect(await publisher.runDue()).toEqual([]);
  expect((await answers())[1]).toEqual(['192.0.2.2']);
  expect(isPublished(await read())).toBe(false);
  await declare(['192.0.2.1']);
  expect(await publisher.runDue()).toEqual([]);
  const told = await followUps();
  await pdns.start();
  await publishAll();
  expect(await read()).toMatchObject({ error: null });
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.1']));
  expect(await followUps()).toBe(told + 1);
});

test('a server that missed many changes gets all of them before it counts again', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `many${index}.${zone}`);
  await pdns.kill();
  for (const each of names) await declare(['192.0.2.1'], { name: each });
  expect(await publisher.runDue()).toEqual([]);
  const serverState = async () => (await ground.db.query<{ state: string }>('SELECT state FROM dns_server'))[0]?.state;
  expect(await serverState()).toBe('FAILING');
  await pdns.start();
  const returned: RecordServer['publish'][] = [];
  const [real, ...others] = records as [RecordServer, ...RecordServer[]];
  const watched: RecordServer = {
    ...wrap(real),
    publish: async (...args) => {
      expect(await serverState()).toBe('RETURNING');
      returned.push(real.publish);
      return real.publish(...args);
    },
  };
  const back = new TestPublisher(ground, [watched, ...others]);
  await waitFor('the return', async () => {
    await back.runDue('dns-server');
    return (await serverState()) === 'SERVING';
  });
  expect(returned).toHaveLength(names.length);
  for (const each of names) expect(await pdns.dig(each, 'A')).toEqual(['192.0.2.1']);
  expect(await publisher.runDue()).toEqual([]);
  for (const each of names) {
    const set = await readRecordSet(ground.db, { zone, name: each });
    expect(set !== undefined && isPublished(set)).toBe(true);
  }
});

test('a silent server delays no other, and a later change does not query it', async () => {
  await declare(['192.0.2.1']);
  await publishAll();
  let asked = 0;
  const [real, other] = records as [RecordServer, RecordServer];
  const silent: RecordServer = {
    ...wrap(real),
    publish: (_wanted, signal) => {
      asked += 1;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const slow = new TestPublisher(ground, [silent, other]);
  await declare(['192.0.2.2']);
  expect(await slow.runDue()).toEqual([]);
  await declare(['192.0.2.3']);
  expect(await slow.runDue()).toEqual([]);
  expect(asked).toBe(1);
  expect((await answers())[1]).toEqual(['192.0.2.3']);
  expect(isAnswered(await read())).toBe(true);
  expect(isPublished(await read())).toBe(false);
  await publishAll();
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.3']));
});

describe('a publisher that ends', () => {
  test('between the update and its record: the next publisher finds the name published', async () => {
    await declare(['192.0.2.1']);
    const killed = records.map((server) => ({
      ...wrap(server),
      publish: async (...args: Parameters<RecordServer['publish']>) => {
        await server.publish(...args);
        throw new Error('killed');
      },
    }));
    expect(await new TestPublisher(ground, killed).runDue()).toMatchObject([{ message: 'killed' }]);
    expect(isPublished(await read())).toBe(false);
    const serials = await answers('SOA', zone);
    await publishAll();
    expect(await answers('SOA', zone)).toEqual(serials);
  });

  test('is paused after it has read the name, during a change, a withdrawal and a new owner: it changes nothing', async () => {
    await declare(['192.0.2.1']);
    await publishAll();
    await declare(['192.0.2.2']);
    const paused = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const late = records.map((server) => ({
      ...wrap(server),
      publish: async (...args: Parameters<RecordServer['publish']>) => {
        reading.resolve();
        await paused.promise;
        return server.publish(...args);
      },
    }));
    const lateRun = new TestPublisher(ground, late).runDue();
    await reading.promise;
    // Its claim has ended.
    await ground.db.execute(
      'UPDATE owed_work SET lease_until = NOW(3) - INTERVAL 1 SECOND WHERE lease_token IS NOT NULL',
    );
    await withdraw();
    await publishAll();
    await declare(['192.0.2.3'], { owner: 'gslb/1' });
    await publishAll();
    paused.resolve();
    expect(await lateRun).toMatchObject([{ name: 'OwedWorkLostError' }]);
    expect(await answers()).toEqual(Array(2).fill(['192.0.2.3']));
    expect(await read()).toMatchObject({ owner: 'gslb/1', publishedRecords: [a('192.0.2.3')] });
  });

  test('two at once, with changes in between: the last declaration is answered', async () => {
    const other = new TestPublisher(ground, records);
    for (let round = 1; round <= 20; round += 1) {
      await declare([`192.0.2.${round}`]);
      await Promise.all([publisher.runDue(), other.runDue()]);
    }
    await publishAll();
    expect(await answers()).toEqual(Array(2).fill(['192.0.2.20']));
  });
});

test('a database that lost writes: its next declaration gets a generation above those of the servers', async () => {
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    await declare([address]);
    await publishAll();
  }
  await ground.db.execute(
    `UPDATE dns_record_set SET generation = 1, published_generation = 1, records = '[{"type":"A","value":"192.0.2.1"}]'`,
  );
  await declare(['192.0.2.9']);
  await publishAll();
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.9']));
  expect(await read()).toMatchObject({ generation: 4 });
});

test('a name that others have at one server is reported, and remains theirs', async () => {
  await pdns.nsupdate(`update add ${name} 60 A 198.51.100.7`);
  await declare(['192.0.2.1']);
  expect(await publisher.runDue()).toMatchObject([{ code: 'NAME_TAKEN_BY_OTHERS' }]);
  expect(await read()).toMatchObject({
    error: { code: 'NAME_TAKEN_BY_OTHERS', message: expect.stringContaining('Remove the records that others made') },
  });
  expect(await answers()).toEqual([['198.51.100.7'], ['192.0.2.1']]);
  await pdns.nsupdate(`update delete ${name} A`);
  await publishAll();
  expect(await answers()).toEqual(Array(2).fill(['192.0.2.1']));
});

describe('a look', () => {
  const look = async () => {
    await ground.db.execute(
      "INSERT INTO owed_work (kind, `key`, due_at) VALUES ('dns-look', ?, NOW(3)) ON DUPLICATE KEY UPDATE due_at = NOW(3), wanted = wanted + 1",
      [zone],
    );
    return publisher.runDue('dns-look');
  };

  test.each([
    ['PowerDNS', 0],
    ['BIND', 1],
  ])('corrects changes by others only at %s, and writes nothing where all is right', async (_name, at) => {
    const changed = servers[at] as NameServer;
    await declare(['192.0.2.1']);
    await publishAll();
    expect(await look()).toEqual([]);
    expect(await publisher.runDue()).toEqual([]);
    const serials = await answers('SOA', zone);
    expect(await look()).toEqual([]);
    expect(await answers('SOA', zone)).toEqual(serials);
    await changed.nsupdate(`update delete ${name} A`, `update add ${name} 60 A 198.51.100.7`);
    expect(await look()).toEqual([]);
    expect(await publisher.runDue()).toEqual([]);
    expect(await answers()).toEqual(Array(2).fill(['192.0.2.1']));
    await changed.nsupdate(`update delete ${fenceName(name)} TXT`);
    expect(await look()).toEqual([]);
    expect(await publisher.runDue()).toEqual([]);
    expect(await answers('TXT', fenceName(name))).toEqual(Array(2).fill([expect.stringContaining('generation=1 ')]));
  });

  test('shows that servers have lost the zone, and that they have it again', async () => {
    const lost = 'lost.test';
    const set = await declare(['192.0.2.1'], { zone: lost, name: `web.${lost}` });
    const lookAtLost = () =>
      ground.db
        .execute("UPDATE owed_work SET due_at = NOW(3), wanted = wanted + 1 WHERE kind = 'dns-look'")
        .then(() => publisher.runDue('dns-look'));
    const publish = 'UPDATE dns_record_set SET published_generation = generation, published_records = records';
    await ground.db.execute(publish);
    expect(await lookAtLost()).toEqual([]);
    const now = () => readRecordSet(ground.db, { zone: lost, name: `web.${lost}` });
    expect((await now())?.error?.code).toMatch(/^(NOT_AUTHORITATIVE|REFUSED)$/);
    expect(await owedFor('dns-zone', lost)).toBe(1);
    // No server has the zone, so the publication would fail again and again.
    await ground.db.execute("DELETE FROM owed_work WHERE kind = 'dns-publish'");
    // Pretends that the zone is this one, which the servers have, with the name in it.
    await declare(['192.0.2.1']);
    await publishAll();
    await ground.db.execute(
      "UPDATE dns_record_set SET error_code = 'REFUSED', error = 'lost', failing_since = NOW(3) WHERE id <> ?",
      [set.id],
    );
    expect((await read()).error?.code).toBe('REFUSED');
    expect(await look()).toEqual([]);
    await publishAll();
    expect((await read()).error).toBeNull();
  });

  test('is not ended by a server that is down', async () => {
    await declare(['192.0.2.1']);
    await publishAll();
    await pdns.kill();
    expect(await look()).toEqual([]);
    expect(await publisher.runDue()).toEqual([]);
    await pdns.start();
  });
});

describe('a name that was taken over from a process that died while it published', () => {
  /** Published by a process that takes over the claim of a dead one. */
  async function takeOver(by: TestPublisher): Promise<RecordSet> {
    await declare(['192.0.2.1']);
    const set = await read();
    await new OwedWork({ db: ground.db }).claim('dns-publish', set.id);
    await ground.db.execute('UPDATE owed_work SET lease_until = NOW(3) - INTERVAL 1 SECOND');
    expect(await by.runDue()).toEqual([]);
    expect((await answers())[0]).toEqual(['192.0.2.1']);
    return read();
  }

  test('is published at once, if the server refuses late writers', async () => {
    expect(isPublished(await takeOver(publisher))).toBe(true);
  });

  test('is answered at once elsewhere, and published once no late write is possible', async () => {
    const [first] = records as [RecordServer];
    const unfenced = new TestPublisher(ground, [{ ...wrap(first), refusesLate: false }]);
    const set = await takeOver(unfenced);
    expect([isAnswered(set), isPublished(set), set.error?.code]).toEqual([true, false, 'CHANGED_MEANWHILE']);
    expect(await unfenced.runDue()).toEqual([]);
    expect(isPublished(await read())).toBe(false);
    await ground.db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'dns-publish' AND due_at IS NOT NULL");
    expect(await unfenced.runDue()).toEqual([]);
    expect([isPublished(await read()), (await read()).error]).toEqual([true, null]);
  });
});

test('without servers nothing is published, and nobody waits for it', async () => {
  await declare(['192.0.2.1']);
  expect(await new TestPublisher(ground, []).runDue()).toEqual([]);
  expect(isPublished(await read())).toBe(true);
});

function wrap(server: RecordServer): RecordServer {
  return {
    name: server.name,
    refusesLate: server.refusesLate,
    check: (...args) => server.check(...args),
    publish: (...args) => server.publish(...args),
    has: (...args) => server.has(...args),
    forget: (...args) => server.forget(...args),
  };
}

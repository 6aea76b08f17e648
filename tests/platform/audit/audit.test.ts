// The audit trail: its content, its hash chain, and the detection of every kind of tampering.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { readAnchors } from '../../../cli/commands/audit/anchor-file.ts';
import { AuditAnchors } from '../../../platform/audit/anchors.ts';
import { audit, redactInput } from '../../../platform/audit/audit.ts';
import { entryColumns, entryHash, type HashedEntry } from '../../../platform/audit/chain.ts';
import { type AuditAnchor, signEnd, signFirst } from '../../../platform/audit/ends.ts';
import { purgeAudit } from '../../../platform/audit/purge.ts';
import { AuditSealer } from '../../../platform/audit/sealer.ts';
import { verifyAudit } from '../../../platform/audit/verify.ts';
import { Database, type Sql } from '../../../platform/database/database.ts';
import { grantsFor } from '../../../platform/database/grants.ts';
import { platformRetention } from '../../../platform/owed/retention.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { deletedRows } from '../../support/product/deleted-rows.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { LocalContext, TestContext } from '../../support/product/test-context.ts';

const zeros = '0'.repeat(64);
const keys = testPair('audit');
let folder: TemporaryFolder;
let ground: TestContext;
let db: Database;
let sealer: AuditSealer;

beforeAll(async () => {
  folder = await temporaryFolder();
  ground = await TestContext.open();
  ({ db } = ground);
  sealer = new AuditSealer({ ...ground, keys });
});

beforeEach(async () => {
  await db.execute('DELETE FROM audit_entry');
  await db.execute(
    'UPDATE audit_chain SET next_position = 1, head_hash = ?, first_position = 1, base_hash = ?, head_signature = NULL, base_signature = NULL',
    [zeros, zeros],
  );
  // A new sealer stands for a new process each time, because one process never goes back.
  sealer = new AuditSealer({ ...ground, keys });
});

afterAll(async () => {
  await ground.stop();
  await folder.remove();
});

async function write(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await audit(db, {
      identity: null,
      action: 'thingCreate',
      projectId: null,
      outcome: index % 3 === 0 ? 'REFUSED' : 'ACCEPTED',
      requestId: `r${index}`,
      ...(index === 0 ? {} : { callerRequestId: `cmp-${index}` }),
      details: { name: `n${index}`, text: 'ä„\\"\n' },
    });
}

const verify = (fromPosition?: number, limit = 1000, anchors: readonly AuditAnchor[] = []) =>
  verifyAudit(db, { ...keys, limit, anchors, ...(fromPosition === undefined ? {} : { fromPosition }) });

test('sealed entries are dense, chained and complete; the newest are unsealed until the next sealing', async () => {
  await write(12);
  expect(await verify()).toEqual({
    intact: true,
    checked: 0,
    unsealed: 12,
    firstBrokenPosition: null,
    reason: null,
    cuts: [],
  });
  expect(await sealer.runOnce()).toBe(12);
  expect(await sealer.runOnce()).toBe(0);
  await write(3);
  await sealer.runOnce();
  expect(await verify()).toMatchObject({ intact: true, checked: 15, unsealed: 0 });
  expect(await verify(5, 4)).toMatchObject({ intact: true, checked: 4 });
  expect(await verify(99)).toMatchObject({ intact: true, checked: 0 });
});

test('two concurrent sealers make one chain', async () => {
  const other = new LocalContext({ connection: ground.place.connection });
  const sealers = [sealer, new AuditSealer({ ...other, keys })];
  for (let round = 0; round < 10; round += 1) {
    await write(5);
    await Promise.all(sealers.map((each) => each.runOnce()));
  }
  while ((await sealer.runOnce()) > 0);
  expect(await verify()).toMatchObject({ intact: true, checked: 50, unsealed: 0 });
  await other.stop();
});

test('the loop seals by itself, under its lease', async () => {
  let seals = 0;
  const onSealed = () => {
    seals += 1;
  };
  const looping = new AuditSealer({ ...ground, keys, onSealed });
  looping.start();
  await write(4);
  await waitFor('the seal', async () => (await verify()).unsealed === 0);
  const before = seals;
  await waitFor('a look that finds nothing to seal', () => seals > before);
  expect(await ground.leases.holder('audit-sealer')).toMatchObject({ live: true });
  await looping.stop();
  expect(await ground.leases.holder('audit-sealer')).toMatchObject({ live: false });
});

describe('tampering', () => {
  const content = 'the content of the entry was changed';
  const gone = 'the entry is missing';
  test.each([
    ['content', "UPDATE audit_entry SET details = '{}' WHERE position = 4", 4, content],
    ['actor', "UPDATE audit_entry SET actor_name = 'eve' WHERE position = 2", 2, content],
    ['time', 'UPDATE audit_entry SET at = at + INTERVAL 1 SECOND WHERE position = 7', 7, content],
    ['outcome', "UPDATE audit_entry SET outcome = 'REFUSED' WHERE position = 3", 3, content],
    ["the caller's id", "UPDATE audit_entry SET caller_request_id = 'other' WHERE position = 4", 4, content],
    ["the caller's id removed", 'UPDATE audit_entry SET caller_request_id = NULL WHERE position = 4', 4, content],
    ["a caller's id added", "UPDATE audit_entry SET caller_request_id = 'x' WHERE position = 1", 1, content],
    ['an entry removed', 'DELETE FROM audit_entry WHERE position = 5', 5, gone],
    ['the last entry removed', 'DELETE FROM audit_entry WHERE position = 10', 10, gone],
    ["the last entry's hash changed", "UPDATE audit_entry SET hash = REPEAT('a', 64) WHERE position = 10", 10, content],
    ['the end moved back', 'UPDATE audit_chain SET next_position = 9', 8, "the chain's end has another hash"],
    ['the base', "UPDATE audit_chain SET base_hash = REPEAT('a', 64)", 1, 'the entry does not follow the previous one'],
  ])('is detected: %s', async (_what, sql, firstBrokenPosition, reason) => {
    await write(10);
    await sealer.runOnce();
    await db.execute(sql);
    expect(await verify()).toMatchObject({ intact: false, firstBrokenPosition, reason });
  });
});

describe('an attacker who can write to the database but has no key', () => {
  /** The attacker recomputes the whole chain, as the sealer would. */
  async function rewrite(change: string): Promise<void> {
    await db.execute(change);
    const entries = await db.query<HashedEntry & { position: number }>(
      `SELECT ${entryColumns}, position FROM audit_entry WHERE position IS NOT NULL ORDER BY position`,
    );
    let previousHash = zeros;
    for (const [index, { position: _, ...entry }] of entries.entries()) {
      const hash = entryHash(entry, index + 1, previousHash);
      await db.execute('UPDATE audit_entry SET position = ?, previous_hash = ?, hash = ? WHERE id = ?', [
        ...[index + 1, previousHash, hash, entry.id],
      ]);
      previousHash = hash;
    }
    await db.execute('UPDATE audit_chain SET next_position = ?, head_hash = ?', [entries.length + 1, previousHash]);
  }

  test("can't rewrite the trail, and no later sealing makes it valid", async () => {
    await write(10);
    await sealer.runOnce();
    await rewrite("UPDATE audit_entry SET actor_name = 'eve' WHERE position = 4");
    const reason = "the chain's end was not signed by this installation";
    expect(await verify()).toMatchObject({ intact: false, firstBrokenPosition: 10, reason });
    await db.execute('UPDATE audit_chain SET head_signature = NULL');
    expect(await verify()).toMatchObject({ intact: false, reason: "the chain's end is not signed" });
    await write(3);
    const onSealed = () => {
      throw new Error('nothing was sealed');
    };
    await expect(new AuditSealer({ ...ground, keys, onSealed }).runOnce()).rejects.toThrow(/not signed/);
    expect(await verify()).toMatchObject({ intact: false });
    const stranger = { ...keys, signingKeys: testPair('audit').signingKeys };
    const [head] = await db.query<{ hash: string }>('SELECT head_hash AS hash FROM audit_chain');
    const signature = signEnd(stranger.signingKeys, 'head', { position: 10, hash: head?.hash ?? '' });
    await db.execute('UPDATE audit_chain SET head_signature = ?', [signature]);
    expect(await verify()).toMatchObject({ intact: false, reason });
  });

  test("can't pretend that retention deleted the oldest entries", async () => {
    await write(10);
    await sealer.runOnce();
    await db.execute('DELETE FROM audit_entry WHERE position <= 3');
    await db.execute(
      'UPDATE audit_chain SET first_position = 4, base_hash = (SELECT previous_hash FROM audit_entry WHERE position = 4)',
    );
    expect(await verify()).toMatchObject({ intact: false, reason: "the chain's beginning is not signed" });
  });

  test("can't make retention delete entries whose time was changed", async () => {
    await write(10);
    await sealer.runOnce();
    await db.execute('UPDATE audit_entry SET at = at - INTERVAL 3 DAY WHERE position <= 6');
    const retention = platformRetention({ ...ground, eventMs: 86_400_000, auditMs: 86_400_000, auditKeys: keys });
    expect(await deletedRows(retention)).toMatchObject({ 'audit entries': 0 });
    expect(await verify()).toMatchObject({
      intact: false,
      firstBrokenPosition: 1,
      reason: 'the content of the entry was changed',
    });
  });

  test('is detected with an externally stored anchor when an older state is restored, including its signature', async () => {
    const file = join(folder.path, 'anchors.ndjson');
    const anchors = new AuditAnchors({ ...ground, file, everyMs: 0 });
    const anchored = new AuditSealer({ ...ground, keys, anchors });
    await write(5);
    await anchored.runOnce();
    const [older] = await db.query<{ head: string; signature: string }>(
      'SELECT head_hash AS head, head_signature AS signature FROM audit_chain',
    );
    await write(4);
    await anchored.runOnce();
    const kept = await readAnchors(file);
    expect(kept.map(({ position }) => position)).toEqual([5, 9]);
    expect(await verify(undefined, 1000, kept)).toMatchObject({ intact: true, checked: 9 });
    await db.execute('DELETE FROM audit_entry WHERE position > 5');
    await db.execute('UPDATE audit_chain SET next_position = 6, head_hash = ?, head_signature = ?', [
      ...[older?.head ?? '', older?.signature ?? ''],
    ]);
    expect(await verify()).toMatchObject({ intact: true, checked: 5 });
    expect(await verify(undefined, 1000, kept)).toMatchObject({ intact: false, firstBrokenPosition: 9 });
    await write(8);
    await expect(anchored.runOnce()).rejects.toThrow(/ends at 5, but had reached 9/);
    await new AuditSealer({ ...ground, keys }).runOnce();
    expect(await verify(undefined, 1000, kept)).toMatchObject({
      ...{ intact: false, firstBrokenPosition: 9, reason: 'the anchor belongs to another trail' },
    });
    const invented = [{ position: 3, hash: 'a'.repeat(64), signature: 'k1.x' }];
    expect(await verify(undefined, 1000, invented)).toMatchObject({
      reason: 'the anchor was not signed by this installation',
    });
  });
});

describe('a promotion that lost the end of the trail', () => {
  let cut: { readonly head: string; readonly signature: string };

  beforeEach(async () => {
    await write(5);
    await sealer.runOnce();
    [cut] = (await db.query('SELECT head_hash AS head, head_signature AS signature FROM audit_chain')) as [typeof cut];
    await write(4);
    await sealer.runOnce();
    await db.execute('DELETE FROM audit_entry WHERE position > 5');
    await db.execute('UPDATE audit_chain SET next_position = 6, head_hash = ?, head_signature = ?', [
      ...[cut.head, cut.signature],
    ]);
    await write(2);
  });

  afterEach(() => db.execute('DELETE FROM db_timeline WHERE epoch > 1'));

  test('a sealer that ran during the promotion continues, and so does one that starts after it', async () => {
    await expect(sealer.runOnce()).rejects.toThrow(/ends at 5, but had reached 9/);
    await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 1)');
    expect(await sealer.runOnce()).toBe(2);
    expect(await verify()).toMatchObject({ intact: true, checked: 7, unsealed: 0 });
  });

  test('a promotion without a loss excuses nothing, and neither does an earlier one', async () => {
    await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 0)');
    await expect(sealer.runOnce()).rejects.toThrow(/ends at 5, but had reached 9/);
    await db.execute('UPDATE db_timeline SET lossy = 1 WHERE epoch = 2');
    expect(await sealer.runOnce()).toBe(2);
    await db.execute('DELETE FROM audit_entry WHERE position > 5');
    await db.execute('UPDATE audit_chain SET next_position = 6, head_hash = ?, head_signature = ?', [
      ...[cut.head, cut.signature],
    ]);
    await expect(sealer.runOnce()).rejects.toThrow(/ends at 5, but had reached 7/);
  });
});

test('a trail from before keys is signed once, by a command, and sealing continues only after that', async () => {
  await write(4);
  await sealer.runOnce();
  await db.execute('UPDATE audit_chain SET head_signature = NULL');
  await write(1);
  const later = new AuditSealer({ ...ground, keys });
  await expect(later.runOnce()).rejects.toThrow(/not signed/);
  expect(await signFirst(db, keys)).toBe(true);
  expect(await signFirst(db, keys)).toBe(false);
  expect(await later.runOnce()).toBe(1);
  expect(await verify()).toMatchObject({ intact: true, checked: 5 });
});

test('an account for roles that neither seal nor purge can add entries, but not change any', async () => {
  const user = `rows_${newUuid().slice(0, 8)}`;
  const { database } = ground.place.connection;
  const root = await createConnection(ground.place.rootConnection);
  const withRights = async (keepsAudit: boolean, work: (own: Database) => Promise<void>) => {
    await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'a password that fits'`);
    for (const statement of await grantsFor(db, { database, account: `'${user}'@'%'`, keepsAudit }))
      await root.query(statement);
    const own = new Database({ connection: { ...ground.place.connection, user, password: 'a password that fits' } });
    try {
      await work(own);
    } finally {
      await own.close();
      await root.query(`DROP USER '${user}'@'%'`);
    }
  };
  try {
    await write(2);
    await sealer.runOnce();
    await withRights(false, async (own) => {
      await audit(own, {
        identity: null,
        action: 'a',
        projectId: null,
        outcome: 'ACCEPTED',
        requestId: 'r',
        details: {},
      });
      for (const sql of [
        "UPDATE audit_entry SET actor_name = 'eve'",
        'DELETE FROM audit_entry',
        'UPDATE audit_chain SET next_position = 1',
        'TRUNCATE TABLE audit_entry',
        'DROP TABLE audit_chain',
      ])
        await expect(own.execute(sql)).rejects.toThrow(/denied/);
      await expect(new AuditSealer({ ...ground, db: own, keys }).runOnce()).rejects.toThrow(/denied/);
    });
    await withRights(true, async (own) => {
      expect(await new AuditSealer({ ...ground, db: own, keys }).runOnce()).toBe(1);
    });
    expect(await verify()).toMatchObject({ intact: true, checked: 3 });
  } finally {
    await root.end();
  }
});

test('the rest still verifies after retention', async () => {
  await write(10);
  // The hash covers the time.
  await db.execute('UPDATE audit_entry SET at = at - INTERVAL 3 DAY ORDER BY id LIMIT 6');
  await sealer.runOnce();
  const retention = platformRetention({ ...ground, eventMs: 86_400_000, auditMs: 86_400_000, auditKeys: keys });
  expect(await deletedRows(retention)).toMatchObject({ 'audit entries': 6 });
  expect(await verify()).toMatchObject({ intact: true, checked: 4 });
  await write(2);
  await sealer.runOnce();
  expect(await verify()).toMatchObject({ intact: true, checked: 6 });
});

test('retention during a verification is not tampering, but a removal is', async () => {
  await write(10);
  await db.execute('UPDATE audit_entry SET at = at - INTERVAL 3 DAY ORDER BY id LIMIT 6');
  await sealer.runOnce();
  const { publicKeys } = keys;
  /** Runs the given work between the read of the chain's ends and the read of its entries. */
  const during = (interfere: () => Promise<unknown>): Sql => {
    let todo: (() => Promise<unknown>) | undefined = interfere;
    return {
      async query(sql, values) {
        if (sql.includes('ORDER BY position')) {
          const now = todo;
          todo = undefined;
          await now?.();
        }
        return db.query(sql, values);
      },
      execute: (sql, values) => db.execute(sql, values),
    };
  };
  const remove = () => db.execute('DELETE FROM audit_entry WHERE position = 8');
  const purge = () => purgeAudit(db, keys, 86_400_000);
  expect(await verifyAudit(during(purge), { publicKeys, limit: 100 })).toMatchObject({
    ...{ intact: true, checked: 4, reason: null },
  });
  expect(await verifyAudit(during(remove), { publicKeys, limit: 100 })).toMatchObject({
    ...{ intact: false, firstBrokenPosition: 8, reason: 'the entry is missing' },
  });
});

test('redaction: secrets are removed by name at any depth, long texts are cut, depth is limited, and the input itself is unchanged', async () => {
  const input = {
    name: 'fw',
    credentials: { username: 'u', password: 'p' },
    nested: [{ privateKey: 'k', passphrase: null, note: 'x'.repeat(5000) }],
  };
  const text = JSON.stringify(redactInput(input));
  expect(JSON.parse(text)).toMatchObject({ name: 'fw', credentials: '•••', nested: [{ privateKey: '•••' }] });
  expect(text.length).toBeLessThan(1500);
  expect(input.credentials.password).toBe('p');
  let deep: unknown = { secret: 'hidden' };
  for (let level = 0; level < 50; level += 1) deep = { deep };
  expect(JSON.stringify(redactInput(deep))).not.toContain('hidden');
});

test('an input that is too large is replaced by its size', async () => {
  const details = Array.from({ length: 2000 }, () => 'x'.repeat(100));
  await audit(db, { identity: null, action: 'a', projectId: null, outcome: 'ACCEPTED', requestId: 'r', details });
  const [row] = await db.query<{ details: string }>('SELECT details FROM audit_entry');
  expect(JSON.parse(row?.details ?? '')).toMatchObject({ characters: expect.any(Number) });
});

// The audit trail: what is written, that it is chained, and that every kind of tampering is found.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { AuditSealer } from '../../../platform/audit/sealer.ts';
import { verifyAudit } from '../../../platform/audit/verify.ts';
import { audit, redactInput } from '../../../platform/audit.ts';
import { Database } from '../../../platform/database/database.ts';
import { newUuid } from '../../../platform/ids.ts';
import { Leases } from '../../../platform/leases.ts';
import { Retention } from '../../../platform/retention.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { waitFor } from '../../support/temporary-folder.ts';

const log = pino({ level: 'silent' });
const zeros = '0'.repeat(64);
let place: TestDatabase;
let db: Database;
let leases: Leases;
let sealer: AuditSealer;

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection });
  leases = new Leases({ db, owner: newUuid(), log });
  sealer = new AuditSealer({ db, log, leases });
});

beforeEach(async () => {
  await db.execute('DELETE FROM audit_entry');
  await db.execute('UPDATE audit_chain SET next_position = 1, head_hash = ?, first_position = 1, base_hash = ?', [
    zeros,
    zeros,
  ]);
});

afterAll(async () => {
  await leases.stop();
  await db.close();
  await place.drop();
});

async function write(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await audit(db, {
      identity: null,
      action: 'thingCreate',
      projectId: null,
      outcome: index % 3 === 0 ? 'REFUSED' : 'ACCEPTED',
      requestId: `r${index}`,
      details: { name: `n${index}`, text: 'ä„\\"\n' },
    });
}

const verify = (fromPosition?: number, limit = 1000) =>
  verifyAudit(db, { limit, ...(fromPosition === undefined ? {} : { fromPosition }) });

test('sealed entries are dense, chained and whole; the newest are unsealed until the sealer comes', async () => {
  await write(12);
  expect(await verify()).toEqual({
    intact: true,
    checked: 0,
    unsealed: 12,
    firstBrokenPosition: null,
    reason: null,
  });
  expect(await sealer.runOnce()).toBe(12);
  expect(await sealer.runOnce()).toBe(0);
  await write(3);
  await sealer.runOnce();
  expect(await verify()).toMatchObject({ intact: true, checked: 15, unsealed: 0 });
  expect(await verify(5, 4)).toMatchObject({ intact: true, checked: 4 });
  expect(await verify(99)).toMatchObject({ intact: true, checked: 0 });
});

test('two sealers at once make one chain', async () => {
  const other = new Database({ connection: place.connection });
  const sealers = [sealer, new AuditSealer({ db: other, log, leases })];
  for (let round = 0; round < 10; round += 1) {
    await write(5);
    await Promise.all(sealers.map((each) => each.runOnce()));
  }
  while ((await sealer.runOnce()) > 0);
  expect(await verify()).toMatchObject({ intact: true, checked: 50, unsealed: 0 });
  await other.close();
});

test('the loop seals by itself, under its lease', async () => {
  const looping = new AuditSealer({ db, log, leases });
  looping.start();
  await write(4);
  await waitFor('the seal', async () => (await verify()).unsealed === 0);
  expect(await leases.holder('audit-sealer')).toMatchObject({ live: true });
  await looping.stop();
  expect(await leases.holder('audit-sealer')).toMatchObject({ live: false });
});

describe('tampering', () => {
  const content = 'its content was changed';
  const gone = 'the entry is missing';
  test.each([
    ['content', "UPDATE audit_entry SET details = '{}' WHERE position = 4", 4, content],
    ['actor', "UPDATE audit_entry SET actor_name = 'eve' WHERE position = 2", 2, content],
    ['time', 'UPDATE audit_entry SET at = at + INTERVAL 1 SECOND WHERE position = 7', 7, content],
    ['outcome', "UPDATE audit_entry SET outcome = 'REFUSED' WHERE position = 3", 3, content],
    ['an entry removed', 'DELETE FROM audit_entry WHERE position = 5', 5, gone],
    ['the last removed', 'DELETE FROM audit_entry WHERE position = 10', 10, gone],
    ['the hash of the last', "UPDATE audit_entry SET hash = REPEAT('a', 64) WHERE position = 10", 10, content],
    ['the end moved back', 'UPDATE audit_chain SET next_position = 9', 8, "the chain's end has another hash"],
    ['the base', "UPDATE audit_chain SET base_hash = REPEAT('a', 64)", 1, 'it does not follow the entry before it'],
  ])('is found: %s', async (_what, sql, firstBrokenPosition, reason) => {
    await write(10);
    await sealer.runOnce();
    await db.execute(sql);
    expect(await verify()).toMatchObject({ intact: false, firstBrokenPosition, reason });
  });
});

test('after retention what is left still verifies', async () => {
  await write(10);
  await sealer.runOnce();
  await db.execute('UPDATE audit_entry SET at = at - INTERVAL 3 DAY WHERE position <= 6');
  // Its time is part of what is hashed: only what is going to be deleted may be made older here.
  const retention = new Retention({ db, log, eventMs: 86_400_000, auditMs: 86_400_000 });
  expect(await retention.runOnce()).toMatchObject({ auditEntries: 6 });
  expect(await verify()).toMatchObject({ intact: true, checked: 4 });
  await write(2);
  await sealer.runOnce();
  expect(await verify()).toMatchObject({ intact: true, checked: 6 });
});

test('redaction: secrets by name at any depth, long texts cut, depth bounded, the input itself untouched', async () => {
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

test('an input too large to keep is named by its size', async () => {
  const details = Array.from({ length: 2000 }, () => 'x'.repeat(100));
  await audit(db, { identity: null, action: 'a', projectId: null, outcome: 'ACCEPTED', requestId: 'r', details });
  const [row] = await db.query<{ details: string }>('SELECT details FROM audit_entry');
  expect(JSON.parse(row?.details ?? '')).toEqual({ tooLarge: expect.stringMatching(/^\d+ characters$/) });
});

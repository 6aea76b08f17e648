// Lost writes as objects, from the binary log of a real server.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Connection, createConnection } from 'mariadb';
import { platformMigrations } from '../../../compose/places.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { databasePath, startMariadb } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { transactionsAfter } from '../../../ha/agent/binary-log.ts';
import { type LostTransaction, loggedColumns, lostTransactions } from '../../../ha/lost/lost-writes.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../support/product/test-context.ts';

const [userId, projectId, subjectId] = [newUuid(), newUuid(), newUuid()];
const identity: Identity = {
  ...{ kind: 'user', id: userId, name: "O'Neill \\ Ünal", admin: false, credentialId: newUuid() },
  projects: { [projectId]: 'MEMBER' },
};

let cleanup: AsyncDisposableStack;
let saved: string;
let sql: Connection;
let ground: LocalContext;
let data: string;

beforeAll(async () => {
  cleanup = new AsyncDisposableStack();
  const place = cleanup.adopt(await temporaryFolder(), (each) => each.remove());
  const folder = cleanup.adopt(await openDataFolder(join(place.path, 'db'), { version: 1 }), (each) => each.close());
  const server = cleanup.adopt(await startMariadb({ folder, log: silentLog, binaryLog: true }), (each) => each.stop());
  const { socketPath, user, password } = server.rootConnection;
  const location = { socketPath, user, password, database: 'tidegate', connectTimeout: 60_000 };
  sql = cleanup.adopt(await createConnection({ ...location, multipleStatements: true }), (each) => each.end());
  await migrate(location, [platformMigrations]);
  ground = cleanup.adopt(new LocalContext({ connection: location }), (each) => each.stop());
  data = databasePath(folder.path);
  saved = join(place.path, 'saved');
});
afterAll(() => cleanup.disposeAsync());

async function request(name: string, input: object, effect: readonly string[]): Promise<void> {
  const context = { identity, requestId: `r-${name}`, callerRequestId: 'ticket 7', loaders: new Map() };
  const outcome = await ground.mutations.run({
    ...{ name, context, input, subject: 'Thing' },
    prepare(attempt) {
      attempt.projectId = projectId;
      return async (tx) => {
        for (const each of effect) await tx.execute(each);
        return subjectId;
      };
    },
    read: async (id: string) => ({ id }),
  });
  expect(outcome.userErrors).toEqual([]);
}

const event = (id: string, cmpId: string) =>
  `INSERT INTO status_change (event_id, kind, subject_type, subject_id, subject_version, to_status, cmp_namespace, cmp_type, cmp_id)
    VALUES (UUID(), 'thing.status', 'Thing', '${id}', 1, 'ACTIVE', 'default', 'vm', '${cmpId}')`;

/** As a returning host does (server.ts). */
async function save(position: number): Promise<readonly string[]> {
  const { files, gtids } = await transactionsAfter(join(data, 'binlog.index'), data, position);
  await mkdir(saved, { recursive: true });
  for (const file of files) await copyFile(file, join(saved, basename(file)));
  return gtids;
}

async function lostAfter(position: number): Promise<readonly LostTransaction[]> {
  const found: LostTransaction[] = [];
  for await (const each of lostTransactions({ gtids: await save(position) }, saved)) found.push(each);
  return found;
}

async function position(): Promise<number> {
  const [row] = await sql.query<{ gtid: string }[]>('SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  return Number(row?.gtid.split('-')[2]);
}

test('the names of the columns are those of the tables, in their order', async () => {
  for (const [table, { columns }] of Object.entries(loggedColumns)) {
    const found = await sql.query<{ name: string }[]>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position',
      [table],
    );
    expect([table, found.map(({ name }) => name)]).toEqual([table, [...columns]]);
  }
});

test('each lost request has its mutation, key, CMP object, caller, time and commit record; other work has its tables', async () => {
  await request('thingCreate', { name: 'kept', idempotencyKey: 'earlier' }, []);
  const before = await position();
  const cmpObject = { type: 'vm', externalId: "it's 'quoted'" };
  await request('thingCreate', { name: 'a', idempotencyKey: 'key-1', cmpObject }, []);
  await sql.query('FLUSH BINARY LOGS');
  await request('thingUpdate', { id: 'x', note: 'n'.repeat(70_000), idempotencyKey: 'key-2' }, [
    event(newUuid(), 'vm-9'),
  ]);
  await sql.query('CREATE TABLE made (id INT PRIMARY KEY, price DECIMAL(5, 2))');
  await sql.query('INSERT INTO made VALUES (1, 2.5)');
  await sql.query(
    "INSERT INTO audit_entry (actor_kind, actor_name, action, outcome, details) VALUES ('user', 'eve', 'thingDelete', 'REFUSED', '{}')",
  );
  const lost = await lostAfter(before);
  const bySql = { caller: { kind: 'user', id: userId, name: identity.name }, projectId, callerRequestId: 'ticket 7' };
  const requests = lost.filter(({ mutations }) => mutations.length > 0);
  expect(requests.map(({ mutations }) => mutations)).toEqual([
    [
      expect.objectContaining({
        ...{ ...bySql, mutation: 'thingCreate', idempotencyKey: 'key-1', requestId: 'r-thingCreate' },
        ...{ cmpObject: { namespace: 'default', ...cmpObject }, subjectType: 'Thing' },
      }),
    ],
    [
      expect.objectContaining({
        ...{ ...bySql, mutation: 'thingUpdate', idempotencyKey: 'key-2' },
        cmpObject: { namespace: 'default', type: 'vm', externalId: 'vm-9' },
      }),
    ],
  ]);
  expect(requests[0]?.mutations[0]?.keySha256).toBe(createHash('sha256').update('key-1').digest('hex'));
  expect(requests[0]).toMatchObject({ undecoded: null, tables: expect.arrayContaining(['audit_entry']) });
  const [committed] = await sql.query<{ id: string }[]>(
    'SELECT CONCAT(timeline, ".", id) AS id FROM commit_record ORDER BY at DESC LIMIT 1 OFFSET 1',
  );
  expect(requests[0]?.recordId).toBe(committed?.id);
  expect(Math.abs(Date.parse(requests[0]?.at ?? '') - Date.now())).toBeLessThan(60_000);
  const others = lost.filter(({ mutations }) => mutations.length === 0);
  expect(others.map(({ tables, undecoded }) => [tables, undecoded])).toEqual([
    [[], 'a statement: CREATE TABLE'],
    [['made'], null],
    [['audit_entry'], null],
  ]);
  expect(new Set(lost.map(({ gtid }) => gtid)).size).toBe(5);
});

test('a long input has the hash of its key, and a log that ends in the middle of an event ends there', async () => {
  const before = await position();
  const notes = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`n${at}`, 'n'.repeat(1_000)]));
  await request('thingUpdate', { ...notes, idempotencyKey: 'key-3' }, []);
  const [lost] = await lostAfter(before);
  expect(lost?.mutations).toMatchObject([
    { idempotencyKey: null, keySha256: createHash('sha256').update('key-3').digest('hex'), mutation: 'thingUpdate' },
  ]);
  const [gtid = ''] = await save(before);
  const { files } = await transactionsAfter(join(data, 'binlog.index'), data, before);
  const cut = join(saved, basename(files[0] ?? ''));
  await truncate(cut, (await stat(cut)).size - 40);
  const rest: LostTransaction[] = [];
  for await (const each of lostTransactions({ gtids: [gtid] }, saved)) rest.push(each);
  expect(rest).toMatchObject([{ gtid, undecoded: 'the log ends within this transaction' }]);
});

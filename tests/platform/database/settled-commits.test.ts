// A connection that is lost during COMMIT. The row that the transaction wrote proves permanently whether it was committed.
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { pino } from 'pino';
import { writeCommitRecord } from '../../../platform/database/commit-record.ts';
import { Commits } from '../../../platform/database/commits.ts';
import { Database, type Transaction } from '../../../platform/database/database.ts';
import { together } from '../../../platform/database/statement-batch.ts';
import { Mutations } from '../../../platform/edge/mutation.ts';
import { ResultLostError } from '../../../platform/errors/database-errors.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { keyFile } from '../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

let place: TestDatabase;
let folder: TemporaryFolder;
let line: TcpLine;
let db: Database;
/** If true, the answer to the next COMMIT is lost. */
let loses = false;
let isSent = false;
/** The flag SERVER_MORE_RESULTS_EXISTS. */
const moreResults = 8;

/**
 * Whether one of the packets is a COM_STMT_EXECUTE, which only batches use, or the COM_QUERY "COMMIT". A text that is only prepared commits
 * nothing, and a new connection of the pool begins with READ COMMITTED.
 */
function commits(chunk: Buffer): boolean {
  for (let at = 0; at + 4 < chunk.length; at += 4 + chunk.readUIntLE(at, 3)) {
    if (chunk[at + 4] === 0x17) return true;
    const text = chunk.subarray(at + 5, at + 4 + chunk.readUIntLE(at, 3));
    if (chunk[at + 4] === 0x03 && text.equals(Buffer.from('COMMIT'))) return true;
  }
  return false;
}

/**
 * Whether one of the packets is the OK of 7 bytes after which no more results follow: all sent work has then been done. The answer to a
 * prepare (12 bytes) and the rows of a batch arrive before the commit.
 */
function ends(chunk: Buffer): boolean {
  for (let at = 0; at + 4 < chunk.length; at += 4 + chunk.readUIntLE(at, 3)) {
    const isOk = chunk.readUIntLE(at, 3) === 7 && chunk[at + 4] === 0x00 && chunk.length >= at + 11;
    if (isOk && (chunk.readUInt16LE(at + 7) & moreResults) === 0) return true;
  }
  return false;
}

beforeAll(async () => {
  place = await testDatabase();
  folder = await temporaryFolder();
  line = await TcpLine.lay(
    { path: place.connection.socketPath },
    {
      path: join(folder.path, 'line'),
      cutAfter(chunk, from) {
        if (from === 'client' && loses && commits(chunk)) isSent = true;
        if (from === 'client' || !isSent || !ends(chunk)) return undefined;
        [loses, isSent] = [false, false];
        return 0;
      },
    },
  );
  db = new Database({ connection: { ...place.connection, socketPath: join(folder.path, 'line') }, connectionLimit: 4 });
});
beforeEach(() => {
  [loses, isSent] = [false, false];
});
afterAll(async () => {
  await db.close();
  await line.stop();
  await folder.remove();
  await place.drop();
});

async function timelineOf(id: string): Promise<number | undefined> {
  const sql = 'SELECT timeline FROM commit_record WHERE id = ?';
  return (await db.query<{ timeline: number }>(sql, [id]))[0]?.timeline;
}

async function killOwn(tx: Transaction): Promise<void> {
  const [row] = await tx.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
  const root = await createConnection(place.rootConnection);
  await root.query(`KILL ${row?.id}`);
  await root.end();
}

test('if it was committed, the result is returned and the work does not run again', async () => {
  let [runs, told] = [0, 0];
  const id = await db.transaction(async (tx) => {
    runs += 1;
    const recordId = newUuid();
    await writeCommitRecord(tx, recordId);
    tx.afterCommit(() => {
      told += 1;
    });
    loses = true;
    return recordId;
  });
  expect([runs, told, loses]).toEqual([1, 1, false]);
  expect(await timelineOf(id)).toBe(1);
});

test('if it was not committed, the work runs again, and the lost transaction can no longer commit', async () => {
  const ids: string[] = [];
  const id = await db.transaction(async (tx) => {
    const recordId = newUuid();
    ids.push(recordId);
    await writeCommitRecord(tx, recordId);
    if (ids.length === 1) await killOwn(tx);
    return recordId;
  });
  const [lost = '', again] = ids;
  expect([ids.length, id]).toEqual([2, again]);
  expect(await Promise.all([timelineOf(lost), timelineOf(id)])).toEqual([0, 1]);
  await expect(db.transaction((tx) => writeCommitRecord(tx, lost))).rejects.toMatchObject({ errno: 1062 });
});

test('if a text committed it and the answer was lost, the error has the row that proves the commit', async () => {
  const id = newUuid();
  let told = 0;
  const attempt = db.transaction((tx) => {
    tx.afterCommit(() => {
      told += 1;
    });
    loses = true;
    return together(tx, (batch) => [writeCommitRecord(batch, id)], { commits: true });
  });
  const error = await attempt.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ResultLostError);
  expect([(error as ResultLostError).record, told]).toEqual([{ id, epoch: 1 }, 1]);
});

test('a mutation whose commit answer was lost is answered, and a repetition gets the same answer', async () => {
  await db.execute('CREATE TABLE thing (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL)');
  const log = pino({ level: 'silent' });
  const commits = new Commits({ db, keyring: new Keyring(keyFile), log });
  const mutations = new Mutations({ db, commits, log });
  let runs = 0;
  const create = () =>
    mutations.run({
      ...{ name: 'thingCreate', context: { identity: null, requestId: 'r-1', loaders: new Map() }, subject: 'Thing' },
      input: { idempotencyKey: 'key' },
      prepare: () => async (tx: Transaction) => {
        runs += 1;
        const { insertId } = await tx.execute("INSERT INTO thing (name) VALUES ('one')");
        loses = true;
        return String(insertId);
      },
      read: async (id) => (await db.query<{ name: string }>('SELECT name FROM thing WHERE id = ?', [id]))[0],
    });
  const made = await create();
  expect([runs, loses]).toEqual([1, false]);
  expect(made).toMatchObject({ entity: { name: 'one' }, userErrors: [], replayed: false });
  expect(await commits.replication(made.commit?.token ?? '', 0)).toMatchObject({ state: 'NOT_REPLICATED' });
  expect(await create()).toEqual({ ...made, replayed: true });
  expect(runs).toBe(1);
});

test('a batch returns the timeline of its record', async () => {
  const id = newUuid();
  const [epoch] = await db.transaction((tx) =>
    together(tx, (batch) => [writeCommitRecord(batch, id)], { commits: true }),
  );
  expect([epoch, await timelineOf(id)]).toEqual([1, 1]);
});

// A pair of real servers, with a standby that the test promotes. Requests wait for the new primary and none fails. Every acknowledged write
// is there exactly once, and no read uses the former primary.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { pino } from 'pino';
import type { Identity, RequestContext } from '../../../platform/caller/identity.ts';
import { Database, type DatabaseOptions, type Transaction } from '../../../platform/database/database.ts';
import { ServerReads } from '../../../platform/database/server-reads.ts';
import { together } from '../../../platform/database/statement-batch.ts';
import { toUserErrors } from '../../../platform/edge/mutation.ts';
import { NoPrimaryError, OneCopyError, ResultLostError } from '../../../platform/errors/database-errors.ts';
import { presentError } from '../../../platform/graph/execution.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../support/product/test-context.ts';
import { type ReplicatingPair, startReplicatingPair } from '../replicating-pair.ts';

const identity: Identity = {
  kind: 'user',
  id: newUuid(),
  name: 'ada',
  admin: true,
  projects: {},
  credentialId: newUuid(),
};
const context: RequestContext = { identity, requestId: 'r-1', loaders: new Map() };

let pair: ReplicatingPair;
let folder: TemporaryFolder;
/** The lines to the primary and to the standby. */
let line: TcpLine;
let standbyLine: TcpLine;

beforeEach(async () => {
  folder = await temporaryFolder();
  pair = await startReplicatingPair({ strict: true });
  await pair.onPrimary(
    `CREATE TABLE \`${pair.primary.application.database}\`.thing (name VARCHAR(64) NOT NULL, KEY thing_name (name))`,
  );
  const lay = (name: string, { application }: ReplicatingPair['primary']) =>
    TcpLine.lay({ path: application.socketPath }, { path: join(folder.path, name) });
  line = await lay('line', pair.primary);
  standbyLine = await lay('standby', pair.standby);
});

afterEach(async () => {
  await Promise.all([line.stop(), standbyLine.stop()]);
  await pair.stop();
  await folder.remove();
});

function open(options: Partial<DatabaseOptions> = {}): Database {
  const at = ({ application }: ReplicatingPair['primary'], name: string) => ({
    ...application,
    socketPath: join(folder.path, name),
  });
  const connection = [at(pair.primary, 'line'), at(pair.standby, 'standby')];
  return new Database({ connection, ...options });
}

const insertThing = 'INSERT INTO thing (name) VALUES (?)';

/** Runs writes and reads concurrently, and records what their client observes. */
/** The error code as the graph shows it. */
function codeOf(error: unknown): string {
  const code = presentError(error, 'test', pino({ level: 'silent' })).extensions?.code;
  return toUserErrors(error)?.[0]?.code ?? String(code);
}

class Load {
  readonly acknowledged = new Set<string>();
  /** Failed writes, with their codes. */
  readonly failed = new Map<string, string>();
  /** Reads that failed, or lacked a write that had been acknowledged before. */
  readonly wrongReads: unknown[] = [];
  reads = 0;
  /** The token of the last acknowledged mutation. */
  token = '';
  readonly #ground: LocalContext;
  readonly #workers: Promise<void>[];
  #stopped = false;

  constructor(ground: LocalContext) {
    this.#ground = ground;
    this.#workers = [
      ...[1, 2, 3, 4].map(() => this.#write((name) => this.make(name))),
      ...[1, 2].map(() => this.#write((name) => this.#commitInBatch(name))),
      ...[1, 2].map(() => this.#read()),
    ];
  }

  /** Waits until this many more writes are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await waitFor('acknowledged mutations', () => this.acknowledged.size >= wanted);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #write(work: (name: string) => Promise<string | undefined>): Promise<void> {
    while (!this.#stopped) {
      const name = newUuid();
      const code = await work(name);
      if (code === undefined) this.acknowledged.add(name);
      else this.failed.set(name, code);
    }
  }

  async #read(): Promise<void> {
    const { db } = this.#ground;
    while (!this.#stopped) {
      const least = this.acknowledged.size;
      try {
        const [row] = await db.query<{ count: number; server: number }>(
          'SELECT COUNT(*) AS count, @@server_id AS server FROM thing',
        );
        if (row === undefined || row.count < least) this.wrongReads.push({ least, ...row });
        this.reads += 1;
      } catch (error) {
        this.wrongReads.push(error);
      }
    }
  }

  /** Runs a mutation with a key. Returns its error code, if any. */
  async make(name: string): Promise<string | undefined> {
    const { mutations, db } = this.#ground;
    const run = mutations.run({
      name: 'thingCreate',
      context,
      input: { idempotencyKey: name },
      subject: 'Thing',
      prepare: () => async (tx) => {
        await tx.execute(insertThing, [name]);
        return name;
      },
      read: async (id) => (await db.query('SELECT name FROM thing WHERE name = ?', [id]))[0],
    });
    try {
      const { entity, userErrors, commit } = await run;
      if (userErrors.length === 0) expect(entity).toEqual({ name });
      this.token = commit?.token ?? this.token;
      return userErrors[0]?.code;
    } catch (error) {
      return codeOf(error);
    }
  }

  /** Commits in one text, as the relay does for the journal entry of a call. */
  async #commitInBatch(name: string): Promise<string | undefined> {
    const { db, commits } = this.#ground;
    const write = (tx: Transaction) =>
      together(tx, (batch) => [batch.execute(insertThing, [name]), commits.record(batch)], { commits: true });
    try {
      await db.transaction(write);
    } catch (error) {
      if (!(error instanceof ResultLostError)) return codeOf(error);
    }
    return undefined;
  }
}

const faults: [string, () => Promise<void>][] = [
  ['is killed', async () => void process.kill(pair.primary.pid, 'SIGKILL')],
  ['is frozen', async () => void process.kill(pair.primary.pid, 'SIGSTOP')],
  ['is demoted', () => pair.onPrimary('SET GLOBAL read_only = ON')],
  ['is cut off', async () => line.freeze()],
];

describe('under load, the primary', () => {
  test.each(faults)('%s, and the standby is promoted', async (_, fault) => {
    const members = [pair.primary, pair.standby].map(({ application }, index) => ({
      name: index === 0 ? 'a' : 'b',
      sql: new ServerReads(application),
    }));
    // The timeout allows for a promotion that takes long here.
    const ground = new LocalContext(open({ primaryTimeoutMs: 600_000 }), { members });
    const { db } = ground;
    const load = new Load(ground);
    await load.more(50);
    const { token } = load;
    await fault();
    const asked = ground.commits.replication(token, 0);
    await pair.promote();
    await load.more(50);
    const readsBefore = load.reads;
    await waitFor('reads', () => load.reads > readsBefore + 10);
    await load.stop();
    expect(['CONFIRMED', 'PENDING']).toContain((await asked).state);
    expect(await ground.commits.replication(token, 0)).toMatchObject({
      ...{ state: 'PENDING', copies: 1 },
      members: [{ state: expect.stringMatching(/UNREACHABLE|OTHER_TIMELINE/) }, { name: 'b', state: 'PRIMARY' }],
    });
    expect(await ground.commits.replication(load.token, 0)).toMatchObject({ state: 'PENDING', copies: 1 });

    // The former primary returns unchanged.
    if (fault === faults[1]?.[1]) process.kill(pair.primary.pid, 'SIGCONT');
    line.thaw();
    const serverId = 'SELECT @@server_id AS id';
    for (let count = 0; count < 30; count += 1) {
      expect(await db.query(serverId)).toEqual([{ id: 2 }]);
      expect(await db.transaction((tx) => tx.query(serverId))).toEqual([{ id: 2 }]);
      expect(await db.prisma.$queryRawUnsafe(serverId)).toMatchObject([{ id: 2n }]);
    }

    expect([load.failed, load.wrongReads]).toEqual([new Map(), []]);
    const rows = await db.query<{ name: string; times: number }>(
      'SELECT name, COUNT(*) AS times FROM thing GROUP BY name',
    );
    const written = new Map(rows.map(({ name, times }) => [name, times]));
    expect(written).toEqual(new Map([...load.acknowledged].map((name) => [name, 1])));
    await ground.stop();
    await Promise.all(members.map(({ sql }) => sql.close()));
  });
});

describe('without a primary', () => {
  test('requests wait, are refused as BUSY, and continue when there is a primary; a drain ends the wait', async () => {
    const hasty = new LocalContext(open({ primaryTimeoutMs: 300 }));
    const patient = open({ primaryTimeoutMs: 600_000 });
    const load = new Load(hasty);
    await load.more(1);
    await patient.query('SELECT 1');
    process.kill(pair.primary.pid, 'SIGKILL');
    await waitFor('a refusal', () => load.failed.size > 0);
    await load.stop();
    // A commit that was under way may have been applied.
    expect([...load.failed.values()].filter((code) => code !== 'BUSY' && code !== 'OUTCOME_UNCERTAIN')).toEqual([]);
    const error = await hasty.db.query('SELECT 1').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoPrimaryError);
    expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY', retry: 'SAME_KEY', retryAfterMs: 1_000 }]);
    expect(await hasty.db.prisma.lease.findMany().catch((reason: unknown) => reason)).toBeInstanceOf(NoPrimaryError);

    // The queue is limited, so one more request is refused at once.
    const waiting = Array.from({ length: 1_000 }, () => patient.query<{ one: number }>('SELECT 1 AS one'));
    await waitFor('the queue', () => patient.poolFigures().waiting === 1_000);
    await expect(patient.query('SELECT 1')).rejects.toBeInstanceOf(NoPrimaryError);
    await pair.promote();
    expect(new Set((await Promise.all(waiting)).map(([row]) => row?.one))).toEqual(new Set([1]));

    process.kill(pair.standby.pid, 'SIGKILL');
    const last = patient.query('SELECT 1').catch((reason: unknown) => reason);
    await waitFor('the queue', () => patient.poolFigures().waiting === 1);
    patient.drain();
    expect(await last).toBeInstanceOf(NoPrimaryError);
    await patient.close();
    await hasty.stop();
  });
});

test('a server that is added to the list is found, and one that is removed is dropped', async () => {
  const at = ({ application }: ReplicatingPair['primary'], name: string) => ({
    ...application,
    socketPath: join(folder.path, name),
  });
  const [first, second] = [at(pair.primary, 'line'), at(pair.standby, 'standby')];
  const db = open({ connection: [first], followsList: true, primaryTimeoutMs: 2_000 });
  const server = async () => (await db.query<{ id: number }>('SELECT @@server_id AS id'))[0]?.id;
  expect(await server()).toBe(1);
  db.setServers([first, second]);
  expect(await server()).toBe(1);
  process.kill(pair.primary.pid, 'SIGKILL');
  await pair.promote();
  await waitFor('the primary that was listed later', () =>
    server().then(
      (id) => id === 2,
      () => false,
    ),
  );
  db.setServers([second]);
  expect(await server()).toBe(2);
  db.setServers([first]);
  await expect(server()).rejects.toBeInstanceOf(NoPrimaryError);
  await db.close();
});

test('overload does not count as a change of the primary, and a failure of the work itself is not repeated', async () => {
  const db = open({ connectionLimit: 1, acquireTimeoutMs: 200 });
  const sleeping = db.query('SELECT SLEEP(5)');
  const busy = 'SELECT 1 AS found FROM information_schema.processlist WHERE info LIKE ?';
  await waitFor('the statement', async () => {
    const found = await db.transaction((tx) => tx.query(busy, ['SELECT SLEEP%']));
    return found.length > 0;
  });
  const error = await db.query('SELECT 1').catch((reason: unknown) => reason);
  expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY', retry: 'SAME_KEY' }]);
  await sleeping;

  let runs = 0;
  const failing = db.transaction(async (tx) => {
    runs += 1;
    await tx.query('SELECT 1');
    throw Object.assign(new Error('the device hung up'), { code: 'ECONNRESET' });
  });
  await expect(failing).rejects.toThrow('the device hung up');
  expect(runs).toBe(1);
  await db.close();
});

test('a commit with an unknown outcome is reported as such, and a mutation waits for the new primary', async () => {
  const ground = new LocalContext(open());
  const { db } = ground;
  await db.query('SELECT 1');
  const load = new Load(ground);
  await load.more(1);
  await load.stop();
  // Commits wait for the standby, which receives none. So they are not acknowledged, and the promotion loses them.
  await pair.onStandby('STOP SLAVE IO_THREAD');
  const waiting = load.make('lost');
  const semi = `SELECT 1 AS found FROM information_schema.processlist WHERE state LIKE '%semi-sync%'`;
  await waitFor('the commit', async () => (await db.query(semi)).length > 0);
  process.kill(pair.primary.pid, 'SIGSTOP');
  await pair.promote();
  // The work ran again, and its row exists once.
  expect(await waiting).toBeUndefined();
  expect(await db.query("SELECT name FROM thing WHERE name = 'lost'")).toHaveLength(1);
  await ground.stop();
});

test('the replication state of a write is reported during and after a change of the primary', async () => {
  const members = ['line', 'standby'].map((name) => {
    const { application } = name === 'line' ? pair.primary : pair.standby;
    return { name, sql: new ServerReads({ ...application, socketPath: join(folder.path, name) }) };
  });
  const ground = new LocalContext(open({ primaryTimeoutMs: 300 }), { members });
  const { commits, db } = ground;
  const token = commits.token(await db.transaction((tx) => commits.record(tx)));
  expect(await commits.replication(token, 10_000)).toEqual({
    ...{ state: 'CONFIRMED', reason: null, copies: 2 },
    members: [
      { name: 'line', state: 'PRIMARY' },
      { name: 'standby', state: 'CONFIRMED' },
    ],
  });
  process.kill(pair.primary.pid, 'SIGKILL');
  const told = await waitFor('the loss to be seen', async () => {
    const { state, reason, copies } = await commits.replication(token, 0);
    return state === 'UNKNOWN' ? { reason, copies } : undefined;
  });
  expect(told).toEqual({ reason: 'the database is not available: ask again', copies: null });
  // This call waits through the promotion for a second copy.
  const waiting = commits.replication(token, 10_000);
  await waitFor('the question', () => db.poolFigures().waiting > 0);
  await waitFor('the end of its first try', () => db.poolFigures().waiting === 0);
  await pair.promote();
  const oneCopy = {
    ...{ state: 'PENDING', copies: 1 },
    reason: "the standby can't be reached, so there may be only one copy",
    members: [
      { name: 'line', state: 'UNREACHABLE' },
      { name: 'standby', state: 'PRIMARY' },
    ],
  };
  expect(await waiting).toEqual(oneCopy);
  expect(await commits.replication(token, 0)).toEqual(oneCopy);
  await ground.stop();
  await Promise.all(members.map(({ sql }) => sql.close()));
});

describe('a primary whose lease has ended', () => {
  test('gives no answers until it has renewed the lease; work that had only read runs again', async () => {
    const renewing = setInterval(() => void pair.lease(3_000).catch(() => undefined), 200);
    const db = open({ primaryTimeoutMs: 600_000 });
    await waitFor('the lease', async () => (await db.query('SELECT id FROM db_lease')).length > 0);
    let [runs, isRead] = [0, false];
    const reading = db.transaction(async (tx) => {
      runs += 1;
      const rows = await tx.query<{ count: number }>('SELECT COUNT(*) AS count FROM thing');
      if (runs > 1) return rows[0]?.count;
      clearInterval(renewing);
      await waitFor('the end of the lease', () => db.poolFigures().total === 0);
      await pair.onPrimary(`INSERT INTO \`${pair.primary.application.database}\`.thing VALUES ('late')`);
      isRead = true;
      return rows[0]?.count;
    });
    await waitFor('the transaction', () => isRead);
    const asked = db.query('SELECT 1 AS one');
    expect(db.poolFigures().waiting).toBeGreaterThan(0);
    await pair.lease(4_000);
    expect([await reading, runs, await asked]).toEqual([1, 2, [{ one: 1 }]]);
    await db.close();
  });

  test('cannot claim that there was nothing to change: a write that changed nothing runs again', async () => {
    const thing = `\`${pair.primary.application.database}\`.thing`;
    await pair.onPrimary(`INSERT INTO ${thing} VALUES ('slow')`);
    const root = await createConnection(pair.primary.rootConnection);
    // Otherwise it would also lock the gap before the row.
    await root.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await root.query('BEGIN');
    await root.query(`SELECT name FROM ${thing} WHERE name = 'slow' FOR UPDATE`);
    const renewing = setInterval(() => void pair.lease(3_000).catch(() => undefined), 200);
    const db = open({ primaryTimeoutMs: 600_000 });
    await waitFor('the lease', async () => (await db.query('SELECT id FROM db_lease')).length > 0);
    // In index order: the statement finds no row for the first name, and then waits for the second.
    const deleting = db.execute("DELETE FROM thing WHERE name = 'late' OR (name = 'slow' AND RAND() > 2)");
    // `innodb_trx` is a copy. It is not refreshed while it is read more often than every 100 ms.
    const waits =
      "SELECT 1 FROM information_schema.global_status WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS' AND variable_value > 0";
    await waitFor('the statement', async () => (await root.query<unknown[]>(waits)).length > 0);
    clearInterval(renewing);
    await waitFor('the end of the lease', () => db.poolFigures().total === 0);
    await pair.onPrimary(`INSERT INTO ${thing} VALUES ('late')`);
    await root.query('COMMIT');
    await root.end();
    await waitFor('it to wait for the primary', () => db.poolFigures().waiting > 0);
    const again = setInterval(() => void pair.lease(4_000).catch(() => undefined), 200);
    expect(await deleting).toMatchObject({ affectedRows: 1 });
    clearInterval(again);
    await db.close();
  });

  test('is not read, even if no other server answers; then the new primary is read', async () => {
    const renewing = setInterval(() => void pair.lease(3_000).catch(() => undefined), 200);
    const db = open({ primaryTimeoutMs: 600_000 });
    await waitFor('the lease', async () => (await db.query('SELECT id FROM db_lease')).length > 0);
    standbyLine.freeze();
    clearInterval(renewing);
    // The whole host hangs, and continues later.
    process.kill(pair.primary.pid, 'SIGSTOP');
    // A promotion waits for the end of the lease.
    await waitFor('the end of the lease', () => db.poolFigures().total === 0);
    await pair.promote();
    await pair.onStandby(`INSERT INTO \`${pair.standby.application.database}\`.thing VALUES ('new')`);
    process.kill(pair.primary.pid, 'SIGCONT');
    const reads = [
      db.query('SELECT name FROM thing'),
      db.transaction((tx) => tx.query('SELECT name FROM thing')),
      // Prisma sends the query only when it is awaited.
      db.prisma.$queryRawUnsafe('SELECT name FROM thing').then((rows) => rows),
    ];
    await waitFor('the reads to wait', () => db.poolFigures().waiting === 3);
    standbyLine.thaw();
    expect(await Promise.all(reads)).toEqual([[{ name: 'new' }], [{ name: 'new' }], [{ name: 'new' }]]);
    await db.close();
  });
});

test('a request that waits for a hung primary is refused as BUSY, no later than newer requests', async () => {
  const ground = new LocalContext(open({ primaryTimeoutMs: 1_000 }));
  const { db } = ground;
  await db.query('SELECT 1');
  process.kill(pair.primary.pid, 'SIGSTOP');
  // A thread may answer once more before it stops.
  const error = await waitFor('a refusal', () =>
    db.query('SELECT 1').then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY' }]);
  await ground.stop();
});

test('a strict database refuses new work while commits exist on the primary only', async () => {
  const db = open({ strict: true });
  const newWork = () => db.transaction((tx) => tx.execute(insertThing, [newUuid()]));
  await newWork();
  await pair.onStandby('STOP SLAVE IO_THREAD');
  const reading = () => db.transaction((tx) => tx.query('SELECT 1')).catch((reason: unknown) => reason);
  const refused = await waitFor('a refusal', async () => {
    const answer = await reading();
    return answer instanceof OneCopyError ? answer : undefined;
  });
  expect(toUserErrors(refused)).toMatchObject([{ code: 'UNAVAILABLE', retry: 'SAME_KEY' }]);
  await expect(newWork()).rejects.toBeInstanceOf(OneCopyError);
  expect(await db.query('SELECT name FROM thing')).toHaveLength(1);
  expect(await db.transaction((tx) => tx.query('SELECT 1 AS one'), { endsWork: true })).toEqual([{ one: 1 }]);
  await pair.onStandby('START SLAVE IO_THREAD');
  await pair.attached();
  await waitFor('new work', async () => !((await reading()) instanceof OneCopyError));
  await newWork();
  await db.close();
});

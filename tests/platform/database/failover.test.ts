// A pair of real servers, of which the standby is promoted by hand: requests wait for it, what was acknowledged is there once, what was
// refused is not, and nothing is read from the former primary.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Database, type DatabaseOptions } from '../../../platform/database/database.ts';
import { NoPrimaryError } from '../../../platform/database/errors.ts';
import type { Identity, RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import { toUserErrors } from '../../../platform/mutation.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { Ground } from '../../support/ground.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/temporary-folder.ts';
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
/** Before the primary. */
let line: TcpLine;

beforeEach(async () => {
  folder = await temporaryFolder();
  pair = await startReplicatingPair({ strict: true });
  await pair.onPrimary(
    `CREATE TABLE \`${pair.primary.application.database}\`.thing (name VARCHAR(64) NOT NULL, KEY thing_name (name))`,
  );
  line = await TcpLine.lay({ path: pair.primary.application.socketPath }, { path: join(folder.path, 'line') });
});

afterEach(async () => {
  await line.stop();
  await pair.stop();
  await folder.remove();
});

function open(options: Partial<DatabaseOptions> = {}): Database {
  const { application } = pair.primary;
  const connection = [{ ...application, socketPath: join(folder.path, 'line') }, pair.standby.application];
  return new Database({ connection, ...options });
}

/** Keyed mutations, some at a time, and what their client was told. */
class Load {
  readonly acknowledged = new Set<string>();
  /** Told that nothing was done. */
  readonly refused = new Set<string>();
  readonly uncertain = new Set<string>();
  readonly #ground: Ground;
  readonly #workers: Promise<void>[];
  #stopped = false;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#workers = Array.from({ length: 6 }, () => this.#work());
  }

  /** Until so many more were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await waitFor('acknowledged mutations', () => this.acknowledged.size >= wanted);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const name = newUuid();
      const code = await this.make(name);
      if (code === undefined) this.acknowledged.add(name);
      else if (code === 'OUTCOME_UNCERTAIN') this.uncertain.add(name);
      else this.refused.add(name);
    }
  }

  async make(name: string): Promise<string | undefined> {
    const { mutations, db } = this.#ground;
    const { entity, userErrors } = await mutations.run({
      name: 'thingCreate',
      context,
      input: { idempotencyKey: name },
      subject: 'Thing',
      prepare: () => async (tx) => {
        await tx.execute('INSERT INTO thing (name) VALUES (?)', [name]);
        return name;
      },
      read: async (id) => (await db.query('SELECT name FROM thing WHERE name = ?', [id]))[0],
    });
    if (userErrors.length === 0) expect(entity).toEqual({ name });
    return userErrors[0]?.code;
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
    const ground = new Ground(open());
    const { db } = ground;
    const load = new Load(ground);
    await load.more(50);
    await fault();
    await pair.promote();
    await load.more(50);
    await load.stop();
    const serverId = 'SELECT @@server_id AS id';
    expect(await db.query(serverId)).toEqual([{ id: 2 }]);

    // The former primary comes back as it was.
    if (fault === faults[1]?.[1]) process.kill(pair.primary.pid, 'SIGCONT');
    line.thaw();
    for (let count = 0; count < 30; count += 1) {
      expect(await db.query(serverId)).toEqual([{ id: 2 }]);
      expect(await db.transaction((tx) => tx.query(serverId))).toEqual([{ id: 2 }]);
      expect(await db.prisma.$queryRawUnsafe(serverId)).toMatchObject([{ id: 2n }]);
    }

    // What was not told is told now.
    for (const name of load.uncertain) if ((await load.make(name)) === undefined) load.acknowledged.add(name);
    const rows = await db.query<{ name: string; times: number }>(
      'SELECT name, COUNT(*) AS times FROM thing GROUP BY name',
    );
    const written = new Map(rows.map(({ name, times }) => [name, times]));
    expect([...load.acknowledged].filter((name) => written.get(name) !== 1)).toEqual([]);
    expect([...load.refused].filter((name) => written.has(name))).toEqual([]);
    await ground.stop();
  });
});

describe('without a primary', () => {
  test('requests wait, are refused as BUSY, and go on when there is one; a drain ends the wait', async () => {
    const hasty = new Ground(open({ primaryTimeoutMs: 300 }));
    const patient = open({ primaryTimeoutMs: 600_000 });
    const load = new Load(hasty);
    await load.more(1);
    await patient.query('SELECT 1');
    process.kill(pair.primary.pid, 'SIGKILL');
    await waitFor('a refusal', () => load.refused.size > 0);
    await load.stop();
    const error = await hasty.db.query('SELECT 1').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoPrimaryError);
    expect(toUserErrors(error)).toMatchObject([{ code: 'BUSY', retry: 'SAME_KEY', retryAfterMs: 1_000 }]);
    expect(await hasty.db.prisma.lease.findMany().catch((reason: unknown) => reason)).toBeInstanceOf(NoPrimaryError);

    // Bounded: one more is refused at once.
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

test('a commit of unknown fate is told as it was: a mutation waits for the new primary', async () => {
  const ground = new Ground(open());
  const { db } = ground;
  await db.query('SELECT 1');
  const load = new Load(ground);
  await load.more(1);
  await load.stop();
  // Commits wait for the standby, which receives none: they are not acknowledged, and lost by the promotion.
  await pair.onStandby('STOP SLAVE IO_THREAD');
  const waiting = load.make('lost');
  const semi = `SELECT 1 AS found FROM information_schema.processlist WHERE state LIKE '%semi-sync%'`;
  await waitFor('the commit', async () => (await db.query(semi)).length > 0);
  process.kill(pair.primary.pid, 'SIGSTOP');
  await pair.promote();
  // It was made again, and is there once.
  expect(await waiting).toBeUndefined();
  expect(await db.query("SELECT name FROM thing WHERE name = 'lost'")).toHaveLength(1);
  await ground.stop();
});

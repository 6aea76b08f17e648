// The edge of mutations: one transaction for the whole mutation, refusals without effect, repetitions, and lost databases.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity, RequestContext } from '../../../platform/caller/identity.ts';
import type { Commits } from '../../../platform/database/commits.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { type Effect, type MutationCall, Mutations, toUserErrors } from '../../../platform/edge/mutation.ts';
import { CommitUncertainError } from '../../../platform/errors/database-errors.ts';
import { refuse } from '../../../platform/errors/errors.ts';
import { InputCheck } from '../../../platform/input/input.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { LocalContext, TestContext } from '../../support/product/test-context.ts';

const projectId = newUuid();
const identity: Identity = {
  kind: 'user',
  id: newUuid(),
  name: 'ada',
  admin: false,
  projects: { [projectId]: 'MEMBER' },
  credentialId: newUuid(),
};
const context: RequestContext = { identity, requestId: 'r-1', loaders: new Map() };

const ground = forFile(() => TestContext.open());
let db: Database;
let mutations: Mutations;
let commits: Commits;

beforeAll(async () => {
  ({ db, commits, mutations } = ground);
  await db.execute('CREATE TABLE thing (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL)');
});

interface Thing {
  readonly id: number;
  readonly name: string;
}

function create(
  name: string,
  input: Record<string, unknown>,
  options: { readonly fails?: boolean; readonly may?: () => boolean } = {},
): MutationCall<Thing> {
  return {
    name: 'thingCreate',
    context,
    input: Object.assign({ name }, input),
    subject: 'Thing',
    prepare(attempt) {
      attempt.projectId = projectId;
      if (options.may?.() === false) refuse('FORBIDDEN', 'you may not');
      return async (tx) => {
        const { insertId } = await tx.execute('INSERT INTO thing (name) VALUES (?)', [name]);
        if (options.fails === true) refuse('ALREADY_EXISTS', `there is a ${name}`, { field: ['input', 'name'] });
        return String(insertId);
      };
    },
    read: async (id) => (await db.query<Thing>('SELECT id, name FROM thing WHERE id = ?', [id]))[0],
  };
}

/** A database that records the texts of its transactions. */
function watching(texts: string[]): Database {
  const transaction: Database['transaction'] = (work, options) =>
    db.transaction((tx) => {
      const watch = <Name extends 'query' | 'execute'>(name: Name) =>
        ((...given: Parameters<Transaction[Name]>) => {
          texts.push(given[0]);
          return (tx[name] as (...all: typeof given) => unknown)(...given);
        }) as Transaction[Name];
      return work({
        query: watch('query'),
        execute: watch('execute'),
        afterCommit: (action) => tx.afterCommit(action),
        provenBy: (recordId, epoch) => tx.provenBy(recordId, epoch),
      });
    }, options);
  return Object.assign(Object.create(db) as Database, { transaction, query: db.query.bind(db) });
}

async function count(table: string, where = '1 = 1'): Promise<number> {
  return (await db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.n ?? -1;
}

describe('run', () => {
  test('writes effect, audit entry and commit mark, and returns a valid token', async () => {
    const outcome = await mutations.run(create('a', { password: 'hidden' }));
    expect(outcome).toMatchObject({ entity: { id: expect.any(Number), name: 'a' }, userErrors: [], replayed: false });
    expect(await commits.replication(outcome.commit?.token ?? '', 0)).toMatchObject({ state: 'NOT_REPLICATED' });
    const [entry] = await db.query<{ details: string }>(
      "SELECT details, outcome, actor_name, request_id, subject_type FROM audit_entry WHERE action = 'thingCreate'",
    );
    expect(entry).toMatchObject({ outcome: 'ACCEPTED', actor_name: 'ada', request_id: 'r-1', subject_type: 'Thing' });
    expect(entry?.details).not.toContain('hidden');
  });

  test("refusals do not fill the disk: each stores a limited excerpt, and beyond a user's share only a count is stored", async () => {
    const id = newUuid();
    // Each request has another API token of the same user.
    const flooding = (): RequestContext => {
      const [token, credentialId] = [newUuid(), newUuid()];
      return { ...context, identity: { ...identity, kind: 'token', id: token, ownerId: id, credentialId } };
    };
    const refuseOne = (size: number) =>
      mutations.run({
        ...create('z', { text: Array(size).fill('x'.repeat(500)) }, { may: () => false }),
        context: flooding(),
        name: 'flood',
      });
    for (let count = 0; count < 130; count += 1) await refuseOne(200);
    const entries = await db.query<{ details: string }>(
      "SELECT details FROM audit_entry WHERE action = 'flood' ORDER BY id",
    );
    expect(entries.length).toBeGreaterThanOrEqual(100);
    expect(entries.length).toBeLessThan(130);
    expect(JSON.parse(entries[0]?.details ?? '')).toEqual({
      excerpt: expect.stringContaining('"name":"z"'),
      characters: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    for (const { details } of entries) expect(details.length).toBeLessThan(2_100);
    await db.execute("DELETE FROM audit_entry WHERE action = 'flood'");
  });

  test('a write whose result cannot be read yet never gives null without an error', async () => {
    const unread = mutations.run({ ...create('unread', { idempotencyKey: 'ku' }), read: async () => undefined });
    await expect(unread).rejects.toMatchObject({
      code: 'OUTCOME_UNCERTAIN',
      message: expect.stringContaining('It was done'),
    });
    expect(await count('thing', "name = 'unread'")).toBe(1);
    const repeated = await mutations.run(create('unread', { idempotencyKey: 'ku' }));
    expect(repeated).toMatchObject({ entity: { name: 'unread' }, userErrors: [], replayed: true });
    // Simulates a server that applies the write a moment later.
    let reads = 0;
    const call = create('late', {});
    const late = await mutations.run({
      ...call,
      read: async (id) => {
        reads += 1;
        return reads < 3 ? undefined : call.read(id);
      },
    });
    expect(late).toMatchObject({ entity: { name: 'late' }, userErrors: [] });
  });

  test('a deletion needs no result', async () => {
    let reads = 0;
    const deleted = await mutations.run({
      ...create('gone', {}),
      name: 'thingDelete',
      read: async () => {
        reads += 1;
        return undefined;
      },
    });
    expect(deleted).toMatchObject({ entity: null, userErrors: [] });
    expect(reads).toBe(1);
  });

  test('a refusal leaves only an audit entry, and does not use up the key', async () => {
    const before = await count('thing');
    const refused = await mutations.run(create('b', { idempotencyKey: 'kb' }, { fails: true }));
    expect(refused).toMatchObject({
      entity: null,
      commit: null,
      userErrors: [{ code: 'ALREADY_EXISTS', field: ['input', 'name'], retry: 'NEVER' }],
    });
    expect(await count('thing')).toBe(before);
    expect(await count('audit_entry', "outcome = 'REFUSED' AND code = 'ALREADY_EXISTS'")).toBe(1);
    expect((await mutations.run(create('b', { idempotencyKey: 'kb' }))).userErrors).toEqual([]);
  });

  test("audit entry, commit mark, the key's result and COMMIT are one round trip", async () => {
    const texts: string[] = [];
    const watched = new Mutations({ db: watching(texts), commits, log: ground.log });
    expect((await watched.run(create('w', { idempotencyKey: 'kw' }))).userErrors).toEqual([]);
    expect(texts.map((text) => text.replace(/ .*/s, ''))).toEqual(['SET', 'INSERT', 'BEGIN']);
  });

  test('the same key gives the same result and commit, and another input conflicts', async () => {
    const first = await mutations.run(create('c', { idempotencyKey: 'kc' }));
    const audited = await count('audit_entry');
    const again = await mutations.run(create('c', { idempotencyKey: 'kc' }));
    expect(again).toMatchObject({ entity: first.entity, replayed: true, userErrors: [] });
    expect(await count('thing', "name = 'c'")).toBe(1);
    expect(await count('audit_entry')).toBe(audited);
    const other = await mutations.run(create('cc', { idempotencyKey: 'kc' }));
    expect(other.userErrors).toMatchObject([{ code: 'KEY_CONFLICT', field: ['input', 'idempotencyKey'] }]);
    expect(await count('thing', "name = 'cc'")).toBe(0);
  });

  test('the rights are checked again for a repetition, before its key', async () => {
    let may = true;
    const call = () => mutations.run(create('r', { idempotencyKey: 'kr' }, { may: () => may }));
    expect((await call()).userErrors).toEqual([]);
    may = false;
    expect(await call()).toMatchObject({ entity: null, commit: null, userErrors: [{ code: 'FORBIDDEN' }] });
    const where = "outcome = 'REFUSED' AND code = 'FORBIDDEN'";
    expect(await count('audit_entry', `${where} AND project_id = '${projectId}'`)).toBe(1);
    may = true;
    expect(await call()).toMatchObject({ entity: { name: 'r' }, replayed: true });
  });

  test('a mutation with an outside read skips the read for a repetition', async () => {
    let looks = 0;
    const call = (): MutationCall<Thing> => {
      const plain = create('l', { idempotencyKey: 'kl' });
      const look = async () => {
        looks += 1;
        if (looks > 1) refuse('NOT_FOUND', 'it is gone');
        return (await plain.prepare({
          check: new InputCheck(),
          projectId: null,
          setting: null,
          madeIn: async () => undefined,
          inTurn: async () => undefined,
        })) as Effect;
      };
      return {
        ...plain,
        prepare(attempt) {
          attempt.projectId = projectId;
          return { look };
        },
      };
    };
    const first = await mutations.run(call());
    expect(await mutations.run(call())).toMatchObject({ entity: first.entity, replayed: true, userErrors: [] });
    expect(looks).toBe(1);
  });

  test('if a first read fails because the same request has run in between, its answer is returned', async () => {
    const plain = create('m', { idempotencyKey: 'km' });
    const effect = async () =>
      (await plain.prepare({
        check: new InputCheck(),
        projectId: null,
        setting: null,
        madeIn: async () => undefined,
        inTurn: async () => undefined,
      })) as Effect;
    const call = (look: () => Promise<Effect>): MutationCall<Thing> => ({
      ...plain,
      prepare(attempt) {
        attempt.projectId = projectId;
        return { look };
      },
    });
    const first = Promise.withResolvers<unknown>();
    const second = await mutations.run(
      call(async () => {
        // The first request runs in between, and removes the object that this one reads.
        first.resolve(await mutations.run(call(effect)));
        return refuse('NOT_FOUND', 'it is gone');
      }),
    );
    const done = (await first.promise) as { readonly entity: Thing };
    expect(second).toMatchObject({ entity: done.entity, replayed: true, userErrors: [] });
    const other = { ...create('n', { idempotencyKey: 'kn' }) };
    const refused = await mutations.run({
      ...other,
      prepare(attempt) {
        attempt.projectId = projectId;
        return { look: async () => refuse('NOT_FOUND', 'it is gone') };
      },
    });
    expect(refused.userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });

  test('mutations with the same turn run one after the other, and other mutations run beside them', async () => {
    const order: string[] = [];
    const turned = (name: string, turn: string, until: Promise<void>): MutationCall<Thing> => ({
      ...create(name, {}),
      async prepare(attempt) {
        attempt.projectId = projectId;
        await attempt.inTurn(turn);
        order.push(`${name} begins`);
        await until;
        order.push(`${name} ends`);
        refuse('WRONG_STATE', 'it was only a try');
      },
    });
    const gate = Promise.withResolvers<void>();
    const first = mutations.run(turned('first', 'a', gate.promise));
    const second = mutations.run(turned('second', 'a', Promise.resolve()));
    await mutations.run(turned('other', 'b', Promise.resolve()));
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual([
      ...['first begins', 'other begins', 'other ends'],
      ...['first ends', 'second begins', 'second ends'],
    ]);
  });

  test("faults of the input are reported together, including the key's", async () => {
    const call = create('g', { idempotencyKey: '' });
    const { userErrors } = await mutations.run({
      ...call,
      prepare(attempt) {
        attempt.check.fault('name', 'name is wrong');
        return call.prepare(attempt);
      },
    });
    expect(userErrors.map(({ field }) => field.join('.'))).toEqual(['input.idempotencyKey', 'input.name']);
    expect(await count('thing', "name = 'g'")).toBe(0);
  });

  test('ten concurrent requests with one key: one effect, ten equal answers', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () => mutations.run(create('d', { idempotencyKey: 'kd' }))),
    );
    expect(new Set(all.map((each) => each.entity?.id)).size).toBe(1);
    expect(all.filter((each) => !each.replayed)).toHaveLength(1);
    expect(await count('thing', "name = 'd'")).toBe(1);
  });

  test('a bug is thrown, and rolls back', async () => {
    const bug = () => Promise.reject(new TypeError('bug'));
    await expect(mutations.run({ ...create('e', {}), prepare: () => bug })).rejects.toThrow('bug');
    await expect(mutations.run({ ...create('e', {}), prepare: bug })).rejects.toThrow('bug');
  });

  test('an unavailable database is UNAVAILABLE', async () => {
    const connection = { socketPath: '/nonexistent/mariadb.sock', user: 'u', password: 'p', database: 'd' };
    const away = new LocalContext({ connection, acquireTimeoutMs: 200 });
    try {
      const outcome = await away.mutations.run(create('f', {}));
      expect(outcome.userErrors).toMatchObject([{ code: 'UNAVAILABLE', retry: 'SAME_KEY' }]);
    } finally {
      await away.stop();
    }
  });
});

test('toUserErrors: a lost commit gives no refusal, a full disk gives DISK_FULL, a bug gives nothing', () => {
  expect(toUserErrors(new CommitUncertainError(new Error('x')))).toBeUndefined();
  expect(toUserErrors(Object.assign(new Error('full'), { errno: 1021 }))?.[0]?.message).toContain('disk is full');
  expect(toUserErrors(new TypeError('x'))).toBeUndefined();
});

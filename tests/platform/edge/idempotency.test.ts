// Idempotency keys under contention on a real MariaDB.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../platform/database/database.ts';
import {
  claimKey,
  DuplicateKeyFound,
  hashKeyedRequest,
  hashRequest,
  hashSecretRequest,
  type KeyScope,
  readKey,
  recordResult,
  releaseKeyOfCall,
} from '../../../platform/edge/idempotency.ts';
import { Refusal } from '../../../platform/errors/errors.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open({ connectionLimit: 16 }));
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
});

function key(text: string, input: unknown = {}): KeyScope {
  return { scope: 'p', operation: 'thingCreate', key: text, requestHash: hashRequest(input) };
}

test('the hash of a request leaves out key and waitMs, and does not depend on the order of members', () => {
  const one = hashRequest({ a: 1, b: { c: [1, 2], d: null }, idempotencyKey: 'x', waitMs: 5 });
  expect(hashRequest({ b: { d: null, c: [1, 2] }, a: 1, waitMs: 9 })).toBe(one);
  expect(hashRequest({ b: { d: null, c: [2, 1] }, a: 1 })).not.toBe(one);
  expect(hashRequest({ b: { c: [1, 2] }, a: 1 })).not.toBe(one);
});

test('a keyed hash replaces each secret, one for each key; without secrets it is the usual hash', () => {
  const hashes = (secret: string) => [`new ${secret.length}`, `old ${secret.length}`];
  const plain = { name: 'ada', list: [{ token: null }] };
  expect(hashKeyedRequest(plain, hashes)).toEqual({ requestHash: hashRequest(plain) });
  const given = { name: 'ada', list: [{ password: 'four' }], idempotencyKey: 'x' };
  const stored = (secret: string) => hashRequest({ name: 'ada', list: [{ password: secret }] });
  // The secret is hashed as JSON, with its quotes.
  expect(hashKeyedRequest(given, hashes)).toEqual({ requestHash: stored('new 6'), olderHashes: [stored('old 6')] });
});

test('an older hash of the same request is still recognised for a key', async () => {
  const [older, newer] = [hashRequest({ by: 'old' }), hashRequest({ by: 'new' })];
  await db.transaction((tx) => claimKey(tx, { ...key('older'), requestHash: older }, { callId: newUuid() }));
  expect(await readKey(db, { ...key('older'), requestHash: newer, olderHashes: [older] })).toMatchObject({
    kind: 'call',
  });
  expect(await readKey(db, { ...key('older'), requestHash: newer })).toEqual({ kind: 'conflict' });
});

test('secrets are hashed slowly, with equal hashes for the same key and different hashes for different inputs', async () => {
  const input = { name: 'ada', credentials: [{ password: 'correct horse' }] };
  const one = await hashSecretRequest(input, 'key-1');
  expect(await hashSecretRequest({ ...input, idempotencyKey: 'key-1' }, 'key-1')).toBe(one);
  expect(one).not.toBe(hashRequest(input));
  expect(await hashSecretRequest(input, 'key-2')).not.toBe(one);
  expect(await hashSecretRequest({ ...input, credentials: [{ password: 'wrong horse' }] }, 'key-1')).not.toBe(one);
  expect(await hashSecretRequest({ name: 'ada', at: new Date(0), list: [1, null] }, 'k')).toBe(
    hashRequest({ name: 'ada', at: new Date(0), list: [1, null] }),
  );
});

describe('a key', () => {
  test('returns its result again, is a conflict for another input, and is free after a rollback', async () => {
    await db.transaction(async (tx) => {
      await claimKey(tx, key('k1', { a: 1 }));
      await recordResult(tx, key('k1', { a: 1 }), { id: 7 });
    });
    expect(await readKey(db, key('k1', { a: 1 }))).toEqual({ kind: 'result', result: { id: 7 } });
    expect(await readKey(db, key('k1', { a: 2 }))).toEqual({ kind: 'conflict' });
    await expect(db.transaction((tx) => claimKey(tx, key('k1')))).rejects.toThrow(DuplicateKeyFound);

    const rolledBack = db.transaction(async (tx) => {
      await claimKey(tx, key('k2'));
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(await readKey(db, key('k2'))).toEqual({ kind: 'free' });
  });

  test('is separate per scope and operation', async () => {
    const keys = [key('apart'), { ...key('apart'), scope: 'q' }, { ...key('apart'), operation: 'thingDelete' }];
    for (const each of keys) {
      expect(await readKey(db, each)).toEqual({ kind: 'free' });
      await db.transaction((tx) => claimKey(tx, each));
    }
  });

  test('of a call names the call, and can be released', async () => {
    const callId = newUuid();
    await db.transaction((tx) => claimKey(tx, key('call'), { callId }));
    expect(await readKey(db, key('call'))).toEqual({ kind: 'call', callId });
    await db.transaction((tx) => releaseKeyOfCall(tx, callId));
    expect(await readKey(db, key('call'))).toEqual({ kind: 'free' });
  });

  test('held by a slow transaction is IN_PROGRESS after two seconds', async () => {
    const held = Promise.withResolvers<void>();
    const claimed = Promise.withResolvers<void>();
    const slow = db.transaction(async (tx) => {
      await claimKey(tx, key('slow'));
      claimed.resolve();
      await held.promise;
    });
    await claimed.promise;
    const error = await db.transaction((tx) => claimKey(tx, key('slow'))).catch((reason: unknown) => reason);
    held.resolve();
    await slow;
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).errors[0]).toMatchObject({ code: 'IN_PROGRESS', retry: 'SAME_KEY' });
  });
});

test('12 clients, 60 keys each, a third rolled back at random: one effect per key, and equal answers', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = generator(seed);
  await db.execute('CREATE TABLE effect (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL)');
  const answers = new Map<string, Set<number>>();
  const request = async (name: string): Promise<number> => {
    for (;;) {
      const fails = random() < 0.3;
      try {
        return await db.transaction(async (tx) => {
          await claimKey(tx, key(name));
          const { insertId } = await tx.execute('INSERT INTO effect (name) VALUES (?)', [name]);
          if (fails) throw new Error('rolled back');
          await recordResult(tx, key(name), insertId);
          return insertId;
        });
      } catch (error) {
        if (error instanceof DuplicateKeyFound) {
          const found = await readKey(db, key(name));
          if (found.kind === 'result') return found.result as number;
        } else if (!(error instanceof Error && error.message === 'rolled back')) throw error;
      }
    }
  };
  const client = async () => {
    for (let index = 0; index < 60; index += 1) {
      const name = `race-${index}`;
      const answer = await request(name);
      answers.set(name, (answers.get(name) ?? new Set()).add(answer));
    }
  };
  await Promise.all(Array.from({ length: 12 }, client));
  const effects = await db.query<{ name: string }>('SELECT name FROM effect');
  expect({ seed, effects: effects.length, names: new Set(effects.map((row) => row.name)).size }).toEqual({
    seed,
    effects: 60,
    names: 60,
  });
  expect([...answers.values()].every((each) => each.size === 1)).toBe(true);
});

/** The mulberry32 generator. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

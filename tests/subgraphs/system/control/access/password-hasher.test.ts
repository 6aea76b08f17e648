// Real argon2id hashes: parameters, and the limits of running and waiting hashes.
import { describe, expect, test } from '@jest/globals';
import { Argon2Hasher } from '../../../../../subgraphs/system/control/access/password-hasher.ts';

describe('hashes', () => {
  test('are salted argon2id with the parameters that OWASP recommends', async () => {
    const hasher = new Argon2Hasher();
    const [one, other] = await Promise.all([hasher.hash('a password'), hasher.hash('a password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
  });

  test('match only their password; the dummy hash matches none', async () => {
    const hasher = new Argon2Hasher();
    const stored = await hasher.hash('a password');
    expect(await hasher.verify(stored, 'a password')).toBe(true);
    expect(await hasher.verify(stored, 'A password')).toBe(false);
    expect(await hasher.verify(null, 'a password')).toBe(false);
    expect(await hasher.verify(null, '')).toBe(false);
  });
});

test('beyond the queue it refuses with a wait time, and continues with the waiting ones', async () => {
  const hasher = new Argon2Hasher({ concurrency: 1, queueLimit: 2 });
  const results = await Promise.allSettled([1, 2, 3, 4].map((number) => hasher.hash(`password ${number}`)));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  expect(results[3]).toMatchObject({ reason: { errors: [{ code: 'RATE_LIMITED', retryAfterMs: 1_000 }] } });
  await expect(hasher.hash('another')).resolves.toBeTruthy();
});

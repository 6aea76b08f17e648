// Credentials while the authenticator is slow, for example because the database changes its primary.
import { expect, test } from '@jest/globals';
import { CredentialCache } from '../../../gateway/access/credential-cache.ts';
import { currentCaller, nobodyKnown } from '../../../platform/caller/caller.ts';
import type { Identity } from '../../../platform/caller/identity.ts';

const alice: Identity = { kind: 'user', id: 'alice', name: 'alice', admin: false, projects: {}, credentialId: 'c' };

test('a flood of unknown credentials is checked a few at a time, and does not delay known ones', async () => {
  const asked: { bearer: string; caller: string | undefined; end: (identity?: Identity) => void }[] = [];
  let nowMs = 0;
  const authenticator = {
    authenticate: (bearer: string) =>
      new Promise<Identity | undefined>((end) => {
        asked.push({ bearer, caller: currentCaller(), end });
      }),
    recheck: async () => undefined,
  };
  const cache = new CredentialCache(authenticator, 600_000, () => nowMs);
  const first = cache.identify('good');
  asked[0]?.end(alice);
  expect(await first).toEqual(alice);
  nowMs += 10_000;

  const flood = Array.from({ length: 1_000 }, (_, number) => cache.identify(`rubbish ${number}`));
  await new Promise(setImmediate);
  const begun = asked.length;
  expect(begun).toBeLessThan(100);
  const again = cache.identify('good');
  expect(asked.at(-1)).toMatchObject({ bearer: 'good', caller: 'alice' });
  expect(asked[1]).toMatchObject({ caller: nobodyKnown });
  asked.at(-1)?.end(alice);
  expect(await again).toEqual(alice);

  // Each of them gets its turn.
  for (let at = 1; at < 1_002; at += 1) {
    asked[at]?.end();
    await new Promise(setImmediate);
  }
  expect(new Set(await Promise.all(flood))).toEqual(new Set([undefined]));
  // A revoked credential counts as unknown again.
  nowMs += 10_000;
  const revoked = cache.identify('good');
  asked.at(-1)?.end();
  expect(await revoked).toBeUndefined();
  const later = cache.identify('good');
  expect(asked.at(-1)).toMatchObject({ bearer: 'good', caller: nobodyKnown });
  asked.at(-1)?.end();
  await later;
});

test('while the authenticator is lost, its last acceptance is valid for four seconds, and a refusal is never reused', async () => {
  let nowMs = 0;
  let answer: () => Promise<Identity | undefined> = async () => alice;
  const authenticator = { authenticate: () => answer(), recheck: async () => undefined };
  const cache = new CredentialCache(authenticator, 600_000, () => nowMs);
  const lost = async () => {
    throw new Error('connection refused');
  };
  expect(await cache.identify('good')).toEqual(alice);
  answer = lost;
  for (nowMs = 1_500; nowMs < 4_000; nowMs += 500) expect(await cache.identify('good')).toEqual(alice);
  nowMs = 4_000;
  await expect(cache.identify('good')).rejects.toThrow('connection refused');
  await expect(cache.identify('unknown')).rejects.toThrow('connection refused');

  answer = async () => alice;
  expect(await cache.identify('good')).toEqual(alice);
  nowMs += 1_500;
  answer = async () => undefined;
  expect(await cache.identify('good')).toBeUndefined();
  answer = lost;
  await expect(cache.identify('good')).rejects.toThrow('connection refused');
});

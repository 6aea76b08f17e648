// The validity of a bearer credential: forged, expired or revoked ones, and the immediate effect of changes.

import type { KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { Database } from '../../../../../platform/database/database.ts';
import { newKeyPair, PublicKeys, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { Keyring } from '../../../../../platform/secrets/keyring.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { AccessTokens } from '../../../../../subgraphs/system/control/access/access-tokens.ts';
import { SystemAuthenticator } from '../../../../../subgraphs/system/control/access/authenticator.ts';
import { CredentialStore } from '../../../../../subgraphs/system/control/access/credential-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { publicFile, testPair } from '../../../../support/product/signing-keys.ts';
import { keyFile } from '../../../../support/product/test-context.ts';
import { makeUser, systemBench, testKeys } from '../../support/system-bench.ts';

const bench = forFile(() => systemBench());
let project: string;
const tokens = new AccessTokens(testKeys);

beforeAll(async () => {
  project = await bench.system.firstStart.ensureProject('lab');
});

const authenticate = (bearer: string) => bench.system.authenticator.authenticate(bearer);
const recheck = (identity: Identity) => bench.system.authenticator.recheck(identity);

function claimsOf(user: Identity) {
  return { userId: user.id, sessionId: user.credentialId };
}

describe('an access token', () => {
  test('identifies the user with the current roles', async () => {
    const user = await makeUser(bench, 'member', { projects: { [project]: 'MEMBER' } });
    const { token } = await tokens.issue(claimsOf(user));
    expect(await authenticate(token)).toMatchObject(user);
    await bench.db.execute("UPDATE membership SET role = 'VIEWER' WHERE user_id = ?", [user.id]);
    expect(await authenticate(token)).toMatchObject({ ...user, projects: { [project]: 'VIEWER' } });
    await bench.db.execute('DELETE FROM membership WHERE user_id = ?', [user.id]);
    expect(await recheck(user)).toEqual({ ...user, projects: {} });
  });

  test('is valid for a quarter of an hour, and recheck ignores its expiry', async () => {
    const user = await makeUser(bench, 'sleeper');
    const nowMs = Date.now();
    const { token, expiresAt } = await tokens.issue(claimsOf(user), nowMs - 15 * 60_000);
    expect(expiresAt.getTime()).toBeLessThanOrEqual(nowMs);
    expect(await authenticate(token)).toBeUndefined();
    expect(await recheck(user)).toEqual(user);
  });

  test('of a disabled user, an ended session or another user is not valid', async () => {
    const user = await makeUser(bench, 'fired');
    const other = await makeUser(bench, 'other');
    const { token } = await tokens.issue(claimsOf(user));
    const mixed = await tokens.issue({ userId: other.id, sessionId: user.credentialId });
    expect(await authenticate(mixed.token)).toBeUndefined();
    await bench.db.execute('UPDATE user SET disabled = 1 WHERE id = ?', [user.id]);
    expect([await authenticate(token), await recheck(user)]).toEqual([undefined, undefined]);
    await bench.db.execute('UPDATE user SET disabled = 0 WHERE id = ?', [user.id]);
    expect(await authenticate(token)).toMatchObject(user);
    await bench.db.execute('UPDATE session SET ended_at = NOW(3) WHERE id = ?', [user.credentialId]);
    expect([await authenticate(token), await recheck(user)]).toEqual([undefined, undefined]);
  });

  test("can't be forged", async () => {
    const user = await makeUser(bench, 'victim');
    const claims = claimsOf(user);
    const [stranger, gateway] = [testPair('system'), testPair('gateway')];
    const shared = Buffer.alloc(32, 7);
    const sign = (key: Buffer | KeyObject, header: object, issuer = 'tidegate') =>
      new SignJWT({ sid: claims.sessionId })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', ...header })
        .setSubject(claims.userId)
        .setIssuer(issuer)
        .setExpirationTime('5m')
        .sign(key);
    const right = testKeys.signingKeys.active().privateKey;
    expect(await authenticate(await sign(right, {}))).toMatchObject(user);
    const text = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const body = { sub: claims.userId, sid: claims.sessionId, iss: 'tidegate', exp: 4_000_000_000 };
    const forged = [
      (await new AccessTokens(stranger).issue(claims)).token,
      await sign(gateway.signingKeys.active().privateKey, {}),
      await sign(shared, { alg: 'HS256' }),
      await sign(testKeys.publicKeys.byId('system', 'k1')?.export({ format: 'der', type: 'spki' }) ?? shared, {
        alg: 'HS256',
      }),
      await sign(right, { kid: 'k2' }),
      await sign(right, {}, 'someone'),
      `${text({ alg: 'none', kid: 'k1' })}.${text(body)}.`,
      `${(await tokens.issue(claims)).token}x`,
      '',
      'a.b.c',
      'x'.repeat(10_000),
    ];
    for (const token of forged) expect([token, await authenticate(token)]).toEqual([token, undefined]);
  });

  test('from before a key rotation is still valid', async () => {
    const user = await makeUser(bench, 'rotated');
    const [old, fresh] = [newKeyPair(), newKeyPair()];
    const publicKeys = new PublicKeys(publicFile({ system: { k1: old.publicText, k2: fresh.publicText } }));
    const before = new SigningKeys({ active: 'k1', keys: { k1: old.privateText } });
    const after = new SigningKeys({ active: 'k2', keys: { k1: old.privateText, k2: fresh.privateText } });
    const { token } = await new AccessTokens({ signingKeys: before, publicKeys }).issue(claimsOf(user));
    expect(await new AccessTokens({ signingKeys: after, publicKeys }).verify(token)).toMatchObject(claimsOf(user));
  });
});

describe('an API token', () => {
  const wish = () => ({ projectId: project, name: 'cmp', role: 'MEMBER' as const });

  test('has its role in its project only', async () => {
    const { id, secret } = await bench.system.firstStart.issueToken(wish());
    expect(secret).toMatch(/^tg_[A-Za-z0-9_-]{43}$/);
    const identity = {
      kind: 'token',
      id,
      name: 'cmp',
      admin: false,
      projects: { [project]: 'MEMBER' },
      credentialId: id,
    };
    expect(await authenticate(secret)).toEqual(identity);
    expect(await recheck(identity as Identity)).toEqual(identity);
  });

  test("counts towards the user at the root of its tree, except an administrator's", async () => {
    const member = await makeUser(bench, 'token-owner', { projects: { [project]: 'MEMBER' } });
    const { id, secret } = await bench.system.firstStart.issueToken(wish());
    const madeBy = (userId: string) => bench.db.execute('UPDATE api_token SET user_id = ? WHERE id = ?', [userId, id]);
    await madeBy(member.id);
    expect(await authenticate(secret)).toMatchObject({ id, ownerId: member.id });
    await bench.db.execute('UPDATE user SET admin = 1 WHERE id = ?', [member.id]);
    expect((await authenticate(secret))?.ownerId).toBeUndefined();
  });

  test.each([
    ['revoked', 'revoked_at = NOW(3)'],
    ['expired', 'expires_at = NOW(3)'],
  ])('that is %s is not valid', async (_, change) => {
    const { id, secret } = await bench.system.firstStart.issueToken(wish());
    const identity = await authenticate(secret);
    await bench.db.execute(`UPDATE api_token SET ${change} WHERE id = ?`, [id]);
    expect(await authenticate(secret)).toBeUndefined();
    expect(identity && (await recheck(identity))).toBeUndefined();
  });

  test('is not found by its hash, its prefix or in another case', async () => {
    const { secret } = await bench.system.firstStart.issueToken(wish());
    const [row] = await bench.db.query<{ hash: string; prefix: string }>(
      'SELECT secret_hash AS hash, prefix FROM api_token WHERE prefix = ?',
      [secret.slice(0, 11)],
    );
    expect(row?.hash).not.toContain(secret);
    for (const bearer of [`tg_${row?.hash}`, row?.prefix ?? '', `tg_${secret.slice(3).toUpperCase()}`, `${secret} `])
      expect(await authenticate(bearer)).toBeUndefined();
  });

  test('records its last use, once a minute', async () => {
    const { id, secret } = await bench.system.firstStart.issueToken(wish());
    const lastUsed = async () =>
      (await bench.db.query<{ at: Date | null }>('SELECT last_used_at AS at FROM api_token WHERE id = ?', [id]))[0]?.at;
    expect(await lastUsed()).toBeNull();
    await authenticate(secret);
    const first = await waitFor('the first use', async () => (await lastUsed()) ?? undefined);
    await authenticate(secret);
    expect(await lastUsed()).toEqual(first);
    await bench.db.execute('UPDATE api_token SET last_used_at = NOW(3) - INTERVAL 2 MINUTE WHERE id = ?', [id]);
    const old = await lastUsed();
    await authenticate(secret);
    await waitFor('the next use', async () => (await lastUsed())?.getTime() !== old?.getTime());
  });
});

test('an unavailable database is UNAVAILABLE, not a bad credential', async () => {
  const nowhere = new Database({
    connection: { socketPath: '/nonexistent/socket', user: 'x', password: 'x', database: 'x' },
    acquireTimeoutMs: 200,
  });
  try {
    const credentials = new CredentialStore(nowhere);
    const authenticator = new SystemAuthenticator({ credentials, accessTokens: tokens, keyring: new Keyring(keyFile) });
    await expect(authenticator.authenticate(`tg_${'x'.repeat(43)}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const identity = {
      kind: 'user',
      id: newUuid(),
      name: 'x',
      admin: false,
      projects: {},
      credentialId: newUuid(),
    } as const;
    await expect(authenticator.recheck(identity)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    await nowhere.close();
  }
});

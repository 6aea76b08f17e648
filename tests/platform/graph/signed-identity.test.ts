// The gateway's signature on a request, and its check by a subgraph. Signatures may be forged, late, reused, or for another request.
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { ReplayMemory } from '../../../platform/graph/replay-memory.ts';
import { IdentityChecker, signIdentity } from '../../../platform/graph/signed-identity.ts';
import { newKeyPair, PublicKeys, SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import { publicFile, testPair } from '../../support/product/signing-keys.ts';

const { signingKeys, publicKeys } = testPair('gateway');
const identity: Identity = {
  ...{ kind: 'user', id: 'u', name: 'Zoë', admin: false, projects: { p: 'MEMBER' }, credentialId: 'c' },
};
const claims = { identity, requestId: 'r', clientAddress: '192.0.2.1' };
const nowMs = 1_800_000_000_000;
const body = '{"query":"{ callers }"}';
const request = { audience: 'relay', body };
const checker = () => new IdentityChecker({ keys: publicKeys, audience: 'relay' });
const sign = (atMs = nowMs) => signIdentity(signingKeys, claims, request, atMs);

test('the subgraph reads the signed identity back, for its request only', () => {
  expect(checker().check(sign(), body, nowMs)).toEqual(claims);
  const nobody = { identity: null, requestId: 'r' };
  expect(checker().check(signIdentity(signingKeys, nobody, request, nowMs), body, nowMs)).toEqual(nobody);
});

test('a signature is valid for seconds, with clocks up to ten seconds apart', () => {
  for (const laterMs of [15_000, -10_000]) expect(checker().check(sign(), body, nowMs + laterMs)).toEqual(claims);
  for (const laterMs of [15_001, -10_001]) expect(checker().check(sign(), body, nowMs + laterMs)).toBe('expired');
});

test('a captured identity is useless: it is not valid for another body, or a second time', () => {
  const one = checker();
  const signed = sign();
  expect(one.check(signed, '{"query":"mutation { all }"}', nowMs)).toBe('other-request');
  expect(one.check(signed, body, nowMs)).toEqual(claims);
  for (let laterMs = 0; laterMs <= 15_000; laterMs += 500)
    expect(one.check(signed, body, nowMs + laterMs)).toBe('replayed');
  expect(one.check(signed, body, nowMs + 15_001)).toBe('expired');
});

test('used identities are remembered up to a limit, and beyond it nothing is accepted', () => {
  const one = new IdentityChecker({ keys: publicKeys, audience: 'relay', mostRemembered: 3 });
  const first = sign();
  expect([first, sign(), sign(), sign()].map((text) => one.check(text, body, nowMs))).toEqual([
    ...[claims, claims, claims],
    'busy',
  ]);
  expect(one.check(first, body, nowMs)).toBe('replayed');
  expect(one.check(sign(nowMs + 30_000), body, nowMs + 30_000)).toEqual(claims);
});

test('after a clock is set back nothing is accepted twice', () => {
  const memory = new ReplayMemory({ periodMs: 1_000, most: 10 });
  expect(memory.take('a', 10_000)).toBe('new');
  expect(memory.take('b', 5_000)).toBe('new');
  for (const id of ['a', 'b']) expect(memory.take(id, 5_100)).toBe('known');
});

test('another audience, another key and a changed text are refused', () => {
  const signed = sign();
  const other = new IdentityChecker({ keys: publicKeys, audience: 'system' });
  expect(other.check(signed, body, nowMs)).toBe('forged');
  const stranger = new IdentityChecker({ keys: testPair('gateway').publicKeys, audience: 'relay' });
  expect(stranger.check(signed, body, nowMs)).toBe('forged');
  const [header = '', payload = '', signature = ''] = signed.split('.');
  const admin = JSON.parse(Buffer.from(payload, 'base64url').toString());
  admin.identity.admin = true;
  const forged = Buffer.from(JSON.stringify(admin)).toString('base64url');
  const none = Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url');
  const texts = ['', 'a.b.c', `${none}.${payload}.`, `${signed}.x`, `${header}.${payload}.`];
  const random = `${header}.${payload}.${randomBytes(64).toString('base64url')}`;
  for (const text of [`${header}.${forged}.${signature}`, random, ...texts])
    expect(checker().check(text, body, nowMs)).toBe('forged');
});

test('signatures of the system subgraph or of a worker are not accepted as an identity', () => {
  for (const signer of ['system', 'audit'] as const) {
    const pair = testPair(signer);
    const one = new IdentityChecker({ keys: pair.publicKeys, audience: 'relay' });
    expect(one.check(signIdentity(pair.signingKeys, claims, request, nowMs), body, nowMs)).toBe('forged');
  }
});

test('if a key is known everywhere before it is active, no request is refused at any moment', () => {
  const [old, fresh] = [newKeyPair(), newKeyPair()];
  const both = publicFile({ gateway: { k1: old.publicText, k2: fresh.publicText } });
  const gateway = new SigningKeys({ active: 'k1', keys: { k1: old.privateText } });
  const keys = new PublicKeys(publicFile({ gateway: { k1: old.publicText } }));
  const one = new IdentityChecker({ keys, audience: 'relay' });
  const asked = () => one.check(signIdentity(gateway, claims, request, nowMs), body, nowMs);
  expect(asked()).toEqual(claims);
  keys.replace(both);
  expect(asked()).toEqual(claims);
  gateway.replace({ active: 'k2', keys: { k1: old.privateText, k2: fresh.privateText } });
  expect(asked()).toEqual(claims);
  keys.replace(publicFile({ gateway: { k2: fresh.publicText } }));
  expect(asked()).toEqual(claims);
});

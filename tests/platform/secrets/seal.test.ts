// Sealed secrets: only the right key opens them, only in the right place, and only unchanged.
import { expect, test } from '@jest/globals';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const sealer = createSealer(new Keyring({ active: 'k1', keys: { k1: key(1) } }));

test('opens its own sealed texts, and seals the same text differently each time', () => {
  for (const text of ['', 'p', 'ü'.repeat(10_000)]) {
    const sealed = sealer.seal(text, 'backend/1/password');
    expect(sealed.keyId).toBe('k1');
    expect(sealer.open(sealed, 'backend/1/password')).toBe(text);
    expect(sealer.seal(text, 'backend/1/password').sealed.equals(sealed.sealed)).toBe(false);
  }
});

test('does not open a text in another place, or with one bit changed anywhere', () => {
  const { keyId, sealed } = sealer.seal('secret', 'a');
  expect(() => sealer.open({ keyId, sealed }, 'b')).toThrow(/belongs elsewhere/);
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(() => sealer.open({ keyId, sealed: changed }, 'a')).toThrow(/can't be opened/);
  }
  expect(() => sealer.open({ keyId, sealed: sealed.subarray(0, 20) }, 'a')).toThrow(/too short/);
});

test('after a rotation it seals with the new key, opens with the old one, and names a missing key', () => {
  const old = sealer.seal('secret', 'a');
  const rotated = createSealer(new Keyring({ active: 'k2', keys: { k1: key(1), k2: key(2) } }));
  expect(rotated.open(old, 'a')).toBe('secret');
  const fresh = rotated.seal('secret', 'a');
  expect(fresh.keyId).toBe('k2');
  expect(() => sealer.open(fresh, 'a')).toThrow(/sealed with key k2/);
});

test('no error shows the secret', () => {
  const { keyId, sealed } = sealer.seal('very-secret', 'a');
  try {
    sealer.open({ keyId, sealed }, 'b');
  } catch (error) {
    expect(String(error) + JSON.stringify(error)).not.toContain('very-secret');
  }
  expect.assertions(1);
});

test('a keyed hash is equal for the same secret in the same place with the same key, and different otherwise', () => {
  const rotated = createSealer(new Keyring({ active: 'k2', keys: { k1: key(1), k2: key(2) } }));
  const one = sealer.hash('secret', 'a');
  expect(one).toMatch(/^k1:[0-9a-f]{64}$/);
  expect([sealer.hash('secret', 'a'), rotated.hash('secret', 'a', 'k1')]).toEqual([one, one]);
  const others = [sealer.hash('secret', 'b'), sealer.hash('secreta', ''), rotated.hash('secret', 'a')];
  expect(new Set([one, ...others]).size).toBe(4);
  expect(sealer.hash('secret', 'a', 'k2')).toBeUndefined();
  expect(rotated.keyIds()).toEqual(['k2', 'k1']);
});

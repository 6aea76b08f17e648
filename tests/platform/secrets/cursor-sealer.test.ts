// Cursors reveal nothing, and are valid only with their key.
import { expect, test } from '@jest/globals';
import { CursorSealer } from '../../../platform/secrets/cursor-sealer.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';

const keys = { k1: Buffer.alloc(32, 1).toString('base64'), k2: Buffer.alloc(32, 2).toString('base64') };
const { k1, k2 } = keys;

test('two cursors of one position differ, and all have the same length', () => {
  const sealer = new CursorSealer(new Keyring({ active: 'k1', keys: { k1 } }));
  const sealed = ['1.7.', '1.7.', '1.123456789012.0191b1f2-0000-7000-8000-000000000001'].map((text) =>
    sealer.seal('place', text),
  );
  expect(new Set(sealed).size).toBe(3);
  expect(new Set(sealed.map(({ length }) => length)).size).toBe(1);
  expect(sealed.map((text) => sealer.open('place', text))).toEqual([
    '1.7.',
    '1.7.',
    '1.123456789012.0191b1f2-0000-7000-8000-000000000001',
  ]);
});

test("a cursor that was changed, truncated, invented or made for another place can't be opened", () => {
  const sealer = new CursorSealer(new Keyring({ active: 'k1', keys: { k1 } }));
  const sealed = sealer.seal('place', '["1"]');
  const bytes = Buffer.from(sealed, 'base64url');
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(sealer.open('place', changed.toString('base64url'))).toBeUndefined();
    expect(sealer.open('place', bytes.subarray(0, index).toString('base64url'))).toBeUndefined();
  }
  for (const text of ['', '!', 'AAAA', '_'.repeat(100), 'A'.repeat(5000), Buffer.from('1.1.2.').toString('base64url')])
    expect(sealer.open('place', text)).toBeUndefined();
  expect(sealer.open('elsewhere', sealed)).toBeUndefined();
});

test('a cursor is valid in every process with the key, through a rotation, until the key is removed', () => {
  const ring = new Keyring({ active: 'k1', keys: { k1 } });
  const sealer = new CursorSealer(ring);
  const other = new CursorSealer(new Keyring({ active: 'k1', keys: { k1 } }));
  const old = other.seal('place', 'old');
  ring.replace({ active: 'k1', next: 'k2', keys });
  expect(sealer.open('place', old)).toBe('old');
  ring.replace({ active: 'k2', keys });
  expect(sealer.open('place', old)).toBe('old');
  const fresh = sealer.seal('place', 'new');
  ring.replace({ active: 'k2', keys: { k2 } });
  expect([sealer.open('place', old), sealer.open('place', fresh)]).toEqual([undefined, 'new']);
});

// The product's HMAC equals that of node:crypto, for keys and texts of any length in its domain.
import { createHmac, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { HmacSha256 } from '../../../platform/graph/hmac-sha256.ts';

test('it is HMAC-SHA-256 (RFC 4231, case 2)', () => {
  expect(new HmacSha256(Buffer.from('Jefe')).textOf('what do ya want for nothing?', 'hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('it gives the same result as node:crypto, in any order of long and short texts', () => {
  for (const keyBytes of [1, 32, 64]) {
    const key = randomBytes(keyBytes);
    const own = new HmacSha256(key);
    for (const length of [0, 1, 55, 64, 960, 961, 100_000, 3, 8_000, 0]) {
      const text = randomBytes(length).toString('base64url').slice(0, length);
      const expected = createHmac('sha256', key).update(text).digest();
      expect(own.of(text)).toEqual(expected);
      expect(own.textOf(text, 'base64url')).toBe(expected.toString('base64url'));
    }
  }
});

// Ids: their form and their order.
import { describe, expect, test } from '@jest/globals';
import { newUuid } from '../../../platform/values/ids.ts';

describe('new UUIDs', () => {
  test('are UUIDv7 of their millisecond', () => {
    expect(newUuid(0x0123456789ab)).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('of one millisecond are in the order of creation, 2,048 of them', () => {
    for (let nowMs = 1; nowMs <= 20; nowMs += 1) {
      const made = Array.from({ length: 2048 }, () => newUuid(nowMs));
      expect([...made].sort()).toEqual(made);
      expect(new Set(made).size).toBe(made.length);
    }
  });
});

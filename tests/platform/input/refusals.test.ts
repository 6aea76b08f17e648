// The refusals shared by mutations of every domain.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../platform/errors/errors.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../platform/input/refusals.ts';

describe('refuseStale', () => {
  test('refuses another version, and only that', () => {
    expect(() => refuseStale(null, { version: 3 })).not.toThrow();
    expect(() => refuseStale(undefined, { version: 3 })).not.toThrow();
    expect(() => refuseStale(3, { version: 3 })).not.toThrow();
    expect(() => refuseStale(0, { version: 3 })).toThrow(/the version is 3, not 0/);
  });

  test('accepts a caller who read the current settings, even if the status has changed since', () => {
    const row = { version: 7, settingsVersion: 5 };
    for (const seen of [5, 6, 7]) expect(() => refuseStale(seen, row)).not.toThrow();
    for (const other of [4, 8]) expect(() => refuseStale(other, row)).toThrow(`the version is 7, not ${other}`);
  });
});

describe('refuseTaken', () => {
  test('turns a duplicate row into ALREADY_EXISTS, and nothing else', async () => {
    const failed = (error: Error) => refuseTaken('project', 'one', Promise.reject(error));
    const duplicate = Object.assign(new Error('duplicate entry'), { errno: 1062 });
    await expect(failed(duplicate)).rejects.toMatchObject({
      errors: [{ code: 'ALREADY_EXISTS', message: 'a project named one already exists', field: ['input', 'name'] }],
    });
    const other = new Error('away');
    await expect(failed(other)).rejects.toBe(other);
    await expect(refuseTaken('project', 'one', Promise.resolve(7))).resolves.toBe(7);
  });
});

test('refuseUnknown names the field, also a nested one', () => {
  expect(() => refuseUnknown('User', 'owner.userId', 'x')).toThrow(Refusal);
  expect(() => refuseUnknown('User', 'owner.userId', 'x')).toThrow(
    expect.objectContaining({
      errors: [expect.objectContaining({ code: 'NOT_FOUND', field: ['input', 'owner', 'userId'] })],
    }),
  );
});

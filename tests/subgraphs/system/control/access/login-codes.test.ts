// One-time codes in the memory of one process: each works once, for ten minutes, and only a few exist.
import { expect, test } from '@jest/globals';
import { LoginCodes, loginCodeMinutes } from '../../../../../subgraphs/system/control/access/login-codes.ts';

const user = { id: '0192d5a0-0000-7000-8000-000000000001', name: 'admin', version: 3 };

function codesAt(startMs = 0) {
  const clock = { ms: startMs };
  return { clock, codes: new LoginCodes({ nowMs: () => clock.ms }) };
}

test('a code can be used only once', () => {
  const { codes } = codesAt();
  const code = codes.issue(user);
  expect(code).toMatch(/^tgc_[A-Za-z0-9_-]{22}$/);
  expect(codes.take(code)?.user).toEqual(user);
  expect(codes.take(code)).toBeUndefined();
});

test('a code that is put back works again for the rest of its time', () => {
  const { codes, clock } = codesAt();
  const code = codes.issue(user);
  codes.take(code)?.putBack();
  clock.ms = loginCodeMinutes * 60_000 - 1;
  const again = codes.take(code);
  expect(again?.user).toEqual(user);
  again?.putBack();
  clock.ms += 1;
  expect(codes.take(code)).toBeUndefined();
});

test('an expired code is refused, and so are other texts and codes of another process', () => {
  const { codes, clock } = codesAt();
  const code = codes.issue(user);
  const other = codesAt().codes.issue(user);
  for (const text of ['', 'tgc_', other, `${code} `, code.slice(0, -1), 'x'.repeat(100_000)])
    expect(codes.take(text)).toBeUndefined();
  clock.ms = loginCodeMinutes * 60_000;
  expect(codes.take(code)).toBeUndefined();
});

test('beyond eight codes the oldest one ends', () => {
  const { codes } = codesAt();
  const issued = Array.from({ length: 9 }, () => codes.issue(user));
  expect(codes.take(issued[0] ?? '')).toBeUndefined();
  expect(issued.slice(1).every((code) => codes.take(code) !== undefined)).toBe(true);
});

// The path of libfaketime in Debian, on each architecture that Node is built for, and the environment that a process gets.
import { expect, test } from '@jest/globals';
import { clockLibraryPath, clockOffset, clockVariables } from '../../lab/clock-library.ts';

test.each([
  ['x64', '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'],
  ['arm64', '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1'],
])('of %s', (machine, path) => {
  expect(clockLibraryPath(machine)).toBe(path);
});

test('a process has the offset, and the monotonic clock of the machine', () => {
  expect(clockVariables('/lib.so', { FAKETIME: clockOffset(-60) })).toEqual({
    ...{ LD_PRELOAD: '/lib.so', FAKETIME: '-60', FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  });
  expect(clockOffset(60)).toBe('+60');
  expect(() => clockVariables(undefined, {})).toThrow('libfaketime');
});

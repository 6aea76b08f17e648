// The output of a start: first the link, then the place of the password, the running parts, and the last line that tests and people wait for.
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeStart, type StartedParts } from '../../compose/start-summary.ts';

const parts: StartedParts = {
  url: 'http://127.0.0.1:4000',
  loginCode: 'tgc_0123456789abcdefABCDEF',
  passwordFile: '/data/admin.password',
  tokenFile: '/data/admin.token',
  dataPath: '/data',
  logPath: '/data/logs/tidegate.log',
  roles: ['gateway', 'system', 'relay', 'worker'],
  mariadb: '/data/run/mariadb.sock',
  redis: '/data/run/redis.sock',
  lab: [],
};

const lines = (more: Partial<StartedParts> = {}) => describeStart({ ...parts, ...more }).split('\n');
const shownAs = (name: string, more: Partial<StartedParts> = {}) =>
  lines(more)
    .find((line) => line.trimStart().startsWith(name))
    ?.trim()
    .slice(name.length)
    .trim();

test('the link has the code after the #, which browsers send to no server, with its lifetime', () => {
  expect(shownAs('Dashboard')).toBe('http://127.0.0.1:4000/#code=tgc_0123456789abcdefABCDEF');
  expect(lines().join('\n')).toContain('logs you in once, within ten minutes');
});

test('without a code the plain link is printed, without a promise', () => {
  const text = lines({ loginCode: undefined }).join('\n');
  expect(shownAs('Dashboard', { loginCode: undefined })).toBe('http://127.0.0.1:4000/');
  expect(text).not.toMatch(/code|logs you in/);
});

test('it prints where the password and the log are, what runs, and how to stop', () => {
  expect(shownAs('Login')).toBe('user admin, password in /data/admin.password');
  expect(shownAs('Log ')).toBe('/data/logs/tidegate.log');
  expect(shownAs('Runs')).toContain('gateway, system, relay, worker');
  expect(lines().slice(-2)).toEqual(['Ctrl-C stops everything.', '']);
});

test('commands name the folder only if it is not the usual one; the folder contains the address', () => {
  expect(lines()).toContain('  bin/tidegate demo --data /data');
  const usual = lines({ dataPath: resolve('.tidegate') });
  expect(usual).toContain('  bin/tidegate demo');
  expect(lines({ url: 'http://127.0.0.1:4321' })).toContain('  bin/tidegate demo --data /data');
  // It uses the lab.
  expect(lines({ lab: undefined }).join('\n')).not.toContain('demo');
});

// What the installation is served on is denied, also where it is named by a name or listens everywhere.
import dnsPromises from 'node:dns/promises';
import os from 'node:os';
import { afterEach, expect, jest, test } from '@jest/globals';
import pino from 'pino';
import { egressFrom } from '../../../platform/net/egress.ts';
import { OwnPlaces } from '../../../platform/net/own-places.ts';

const log = pino({ level: 'silent' });
afterEach(() => {
  jest.restoreAllMocks();
});

const machine = (address: string) => ({ eth0: [{ address }, { address: 'fe80::5%eth0' }] }) as never;

test('a listener on every address is on each of the machine, and on those that it gets later', async () => {
  const interfaces = jest.spyOn(os, 'networkInterfaces').mockReturnValue(machine('192.0.2.1'));
  const places = new OwnPlaces(log);
  const policy = egressFrom({ allow: ['127.0.0.0/8', '::1', 'fe80::/10'] }, places.listeners);
  await places.add({ host: '0.0.0.0', port: 4000 }, { host: '::', port: 4001 });
  for (const port of [4000, 4001]) {
    for (const address of ['192.0.2.1', '127.0.0.1', '127.9.9.9', '::1', 'fe80::5%eth0', '::ffff:192.0.2.1'])
      expect([address, policy.denial(address, port)?.reason]).toEqual([address, expect.stringContaining('itself')]);
    expect(policy.denial('192.0.2.2', port)).toBeUndefined();
  }
  expect(policy.denial('192.0.2.1', 22)).toBeUndefined();
  interfaces.mockReturnValue(machine('192.0.2.2'));
  await places.refresh();
  expect(policy.denial('192.0.2.2', 4000)).toBeDefined();
  expect(policy.rules.own).toContain('192.0.2.2:4000');
});

test('a name counts by what it resolves to now; while it does not, by what it did before', async () => {
  const lookup = jest.spyOn(dnsPromises, 'lookup') as unknown as jest.Mock<() => Promise<{ address: string }[]>>;
  lookup.mockResolvedValue([{ address: '192.0.2.1' }, { address: '2001:db8::1' }]);
  const places = new OwnPlaces(log);
  const policy = egressFrom({}, places.listeners);
  await places.add({ host: 'db.example', port: 3306 });
  expect(policy.denial('192.0.2.1', 3306)).toBeDefined();
  expect(policy.denial('2001:db8::1', 3306)).toBeDefined();
  lookup.mockRejectedValue(new Error('no answer'));
  await places.refresh();
  expect(policy.denial('192.0.2.1', 3306)).toBeDefined();
  lookup.mockResolvedValue([{ address: '192.0.2.9' }]);
  await places.refresh();
  expect(policy.denial('192.0.2.1', 3306)).toBeUndefined();
  expect(policy.denial('192.0.2.9', 3306)).toBeDefined();
});

test('a port that is not known yet is none', async () => {
  const places = new OwnPlaces(log);
  await places.add({ host: '192.0.2.1', port: 0 });
  expect(places.listeners.listeners).toEqual([]);
});

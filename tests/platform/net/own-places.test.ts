// The installation's own listeners are denied, even if given by name or listening on all addresses.
import dnsPromises from 'node:dns/promises';
import os from 'node:os';
import { afterEach, expect, jest, test } from '@jest/globals';
import pino from 'pino';
import { egressFrom } from '../../../platform/net/egress.ts';
import { OwnPlaces } from '../../../platform/net/own-places.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const log = pino({ level: 'silent' });
afterEach(() => {
  jest.restoreAllMocks();
});

const machine = (address: string) => ({ eth0: [{ address }, { address: 'fe80::5%eth0' }] }) as never;

test('a listener on all addresses is on each address of the machine, including later ones', async () => {
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

test('a part reached at an address of the machine may listen on all of them, and is denied there', async () => {
  jest.spyOn(os, 'networkInterfaces').mockReturnValue(machine('192.0.2.1'));
  const lookup = jest.spyOn(dnsPromises, 'lookup') as unknown as jest.Mock<() => Promise<{ address: string }[]>>;
  lookup.mockResolvedValue([{ address: '192.0.2.1' }]);
  const places = new OwnPlaces(log);
  const policy = egressFrom({ allow: ['127.0.0.0/8', '::1', 'fe80::/10'] }, places.listeners);
  await places.add(
    { host: '127.0.0.1', port: 3306, mayBeWider: true },
    { host: '::ffff:127.0.0.1', port: 3307, mayBeWider: true },
    { host: 'db.example', port: 3308, mayBeWider: true },
    { host: '192.0.2.9', port: 3309, mayBeWider: true },
    { host: '127.0.0.1', port: 4000 },
  );
  for (const port of [3306, 3307, 3308])
    for (const address of ['192.0.2.1', '127.0.0.1', '127.9.9.9', '::1', 'fe80::5%eth0', '64:ff9b::192.0.2.1'])
      expect([address, port, policy.denial(address, port)?.reason]).toEqual([
        ...[address, port],
        expect.stringContaining('itself'),
      ]);
  expect(policy.denial('192.0.2.9', 3309)).toBeDefined();
  expect(policy.denial('192.0.2.1', 3309)).toBeUndefined();
  expect(policy.denial('127.0.0.1', 4000)).toBeDefined();
  expect(policy.denial('192.0.2.1', 4000)).toBeUndefined();
});

test('a name that does not resolve yet is looked up again soon', async () => {
  const lookup = jest.spyOn(dnsPromises, 'lookup') as unknown as jest.Mock<() => Promise<{ address: string }[]>>;
  lookup.mockRejectedValue(new Error('no answer'));
  const places = new OwnPlaces(log, { soonMs: 5, everyMs: 3_600_000 });
  await places.add({ host: 'db.example', port: 3306 });
  places.start();
  await waitFor('further questions', () => lookup.mock.calls.length >= 3);
  expect(places.listeners.listeners).toEqual([]);
  lookup.mockResolvedValue([{ address: '192.0.2.1' }]);
  await waitFor('the name', () => places.listeners.listeners.includes('192.0.2.1:3306'));
  await places.stop();
});

test('a name is denied by its current addresses, and by the previous ones while it does not resolve', async () => {
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

test('an unknown port is not denied', async () => {
  const places = new OwnPlaces(log);
  await places.add({ host: '192.0.2.1', port: 0 });
  expect(places.listeners.listeners).toEqual([]);
});

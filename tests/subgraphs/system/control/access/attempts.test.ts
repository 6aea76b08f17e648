// The limits that count attempts at a secret.
import { beforeEach, expect, test } from '@jest/globals';
import { Attempts, whenTried } from '../../../../../subgraphs/system/control/access/attempts.ts';
import { MemoryRateLimiter } from '../../../../../subgraphs/system/control/access/rate-limiter.ts';

let attempts: Attempts;

beforeEach(() => {
  attempts = new Attempts(new MemoryRateLimiter());
});

const from = (clientAddress: string) => ({ identity: null, requestId: 'r', loaders: new Map(), clientAddress });

/** Tries a password this many times. Returns how many attempts were allowed. */
async function guess(name: string, address: string, times: number): Promise<number> {
  let allowed = 0;
  for (let count = 0; count < times; count += 1)
    allowed += await attempts.password(from(address), name).then(
      () => 1,
      () => 0,
    );
  return allowed;
}

test('a network that continues after its refusal does not lock the name out elsewhere', async () => {
  expect(await guess('ada', '192.0.2.1', 500)).toBe(10);
  expect(await guess('ada', '198.51.100.1', 1)).toBe(1);
});

test('attempts at one name after its refusal lock out no other name of the network', async () => {
  expect(await guess('ada', '192.0.2.1', 500)).toBe(10);
  expect(await guess('grace', '192.0.2.1', 1)).toBe(1);
});

test('a client that continues after its refusal uses up nothing of other clients whose addresses come from the same proxy', async () => {
  const told = (address: string) => ({ ...from(address), addressToldBy: 'a cluster' });
  const allowed = async (address: string, name: string) =>
    attempts.password(told(address), name).then(
      () => true,
      () => false,
    );
  for (let count = 0; count < 500; count += 1) await allowed('192.0.2.1', 'ada');
  expect(await allowed('198.51.100.1', 'grace')).toBe(true);
  // All of them together still have a limit, from whatever address.
  for (let count = 0; count < 300; count += 1) await allowed(`10.0.${count % 250}.1`, `name-${count}`);
  expect(await allowed('203.0.113.1', 'alan')).toBe(false);
});

test('a name is still limited over all networks, and a network over all names', async () => {
  for (let network = 0; network < 10; network += 1) await guess('ada', `192.0.${network}.1`, 10);
  expect(await guess('ada', '198.51.100.1', 1)).toBe(0);
  for (let name = 0; name < 100; name += 1) await guess(`name-${name}`, '203.0.113.1', 1);
  expect(await guess('grace', '203.0.113.1', 1)).toBe(0);
});

test('a comparison that itself fails does not count as an attempt, and does not make the network a known one', async () => {
  const fails = async () => {
    const giveBack = await attempts.password(from('192.0.2.1'), 'ada');
    return whenTried(giveBack, () => Promise.reject(new Error('no database')));
  };
  for (let count = 0; count < 30; count += 1) await expect(fails()).rejects.toThrow('no database');
  for (let network = 1; network <= 10; network += 1) await guess('ada', `198.51.${network}.1`, 10);
  // The attempts from everywhere limit it, as they would without the failures.
  expect(await guess('ada', '192.0.2.1', 1)).toBe(0);
});

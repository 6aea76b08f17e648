// Which attempts at a secret count against which limit.
import { beforeEach, expect, test } from '@jest/globals';
import { Attempts, whenTried } from '../../../../../subgraphs/system/control/access/attempts.ts';
import { MemoryRateLimiter } from '../../../../../subgraphs/system/control/access/rate-limiter.ts';

let attempts: Attempts;

beforeEach(() => {
  attempts = new Attempts(new MemoryRateLimiter());
});

const from = (clientAddress: string) => ({ identity: null, requestId: 'r', loaders: new Map(), clientAddress });

/** Attempts at a password; returns how many were allowed. */
async function guess(name: string, address: string, times: number): Promise<number> {
  let allowed = 0;
  for (let count = 0; count < times; count += 1)
    allowed += await attempts.password(from(address), name).then(
      () => 1,
      () => 0,
    );
  return allowed;
}

test('one network that goes on after its refusal locks the name out nowhere else', async () => {
  expect(await guess('ada', '192.0.2.1', 500)).toBe(10);
  expect(await guess('ada', '198.51.100.1', 1)).toBe(1);
});

test('attempts at one name, after its refusal, lock no other name of the network out', async () => {
  expect(await guess('ada', '192.0.2.1', 500)).toBe(10);
  expect(await guess('grace', '192.0.2.1', 1)).toBe(1);
});

test('a name is still limited over all networks, and a network over all names', async () => {
  for (let network = 0; network < 10; network += 1) await guess('ada', `192.0.${network}.1`, 10);
  expect(await guess('ada', '198.51.100.1', 1)).toBe(0);
  for (let name = 0; name < 100; name += 1) await guess(`name-${name}`, '203.0.113.1', 1);
  expect(await guess('grace', '203.0.113.1', 1)).toBe(0);
});

test('a comparison that fails itself counts as no attempt, and makes the network no known one', async () => {
  const fails = async () => {
    const giveBack = await attempts.password(from('192.0.2.1'), 'ada');
    return whenTried(giveBack, () => Promise.reject(new Error('no database')));
  };
  for (let count = 0; count < 30; count += 1) await expect(fails()).rejects.toThrow('no database');
  for (let network = 1; network <= 10; network += 1) await guess('ada', `198.51.${network}.1`, 10);
  // Limited by the attempts from everywhere, as it would be without the failures.
  expect(await guess('ada', '192.0.2.1', 1)).toBe(0);
});

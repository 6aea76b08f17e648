// Designate: the contract, and its login. On a simulator of its documented API, not on the real service.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DesignateServer } from '../../../dns/servers/designate-server.ts';
import { testEgress } from '../../support/egress.ts';
import { zone } from '../support/name-servers.ts';
import { describeContract } from './contract.ts';
import { DesignateSimulator } from './designate-simulator.ts';

const signal = new AbortController().signal;

function adapter({ url, caCertificates, account }: DesignateSimulator, password = account.password): DesignateServer {
  return new DesignateServer({
    ...{ url, caCertificates, certificateSha256: null, authUrl: `${url}/v3`, ...account, password },
    ...{ userDomain: 'Default', projectDomain: 'Default', egress: testEgress, timeoutMs: 5_000 },
  });
}

const wish = { zone, nameServers: [], isSigned: false, secondaries: [], transferKey: undefined };

describeContract('Designate (simulated)', 'DESIGNATE', async () => {
  const designate = await DesignateSimulator.start();
  const records = adapter(designate);
  await records.ensureZone(wish, signal);
  return {
    records,
    dig: async (name, type) => designate.dig(name, type),
    add: async (name, ttl, type, value) => designate.add(zone, name, ttl, type, value),
    removeAll: async (name, type) => designate.removeAll(name, type),
    kill: () => designate.stop(),
    start: () => designate.start(),
    remove: () => designate.stop(),
  };
});

let designate: DesignateSimulator;
beforeAll(async () => {
  designate = await DesignateSimulator.start();
});
afterAll(() => designate.stop());

test('logs in once, and once again when its token is refused', async () => {
  const records = adapter(designate);
  try {
    await records.ensureZone(wish, signal);
    await records.check(zone, signal);
    expect(designate.logins).toBe(1);
    designate.forgetTokens();
    await records.check(zone, signal);
    expect(designate.logins).toBe(2);
  } finally {
    await records.close();
  }
});

test('a wrong password is told', async () => {
  const records = adapter(designate, 'another');
  await expect(records.check(zone, signal)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  await records.close();
});

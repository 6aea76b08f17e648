// Designate 15 with its Keystone and PowerDNS: its login and its special cases, then the contract.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DesignateServer } from '../../../dns/servers/designate-server.ts';
import type { WantedName } from '../../../dns/servers/record-server.ts';
import { neutronObstacle as obstacle } from '../../../lab/neutron.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { patience } from '../../support/machine/patience.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { type RealDesignate, startDesignate } from '../../support/servers/designate/real-designate.ts';
import { zone } from '../support/name-servers.ts';
import { describeContract } from './contract.ts';

const signal = new AbortController().signal;
const wish = { zone, nameServers: [], isSigned: false, secondaries: [], transferKey: undefined };
/** The reason why Designate's packages can't run here. */
const skipped = await obstacle();

(skipped === undefined ? describe : describe.skip)(`Designate 15${skipped ? ` (skipped: ${skipped})` : ''}`, () => {
  let designate: RealDesignate;
  let records: DesignateServer;
  // The first start on a machine downloads and unpacks it.
  beforeAll(async () => {
    designate = await startDesignate();
    records = adapter();
    await records.ensureZone(wish, signal);
  }, 300_000);
  afterAll(async () => {
    await records?.close();
    await designate?.remove();
  });

  function adapter(password = designate.account.password): DesignateServer {
    const { url, caCertificates, authUrl, account } = designate;
    return new DesignateServer({
      ...{ url, caCertificates, certificateSha256: null, authUrl, ...account, password },
      ...{ userDomain: 'Default', projectDomain: 'Default', egress: testEgress, timeoutMs: 5_000 * patience },
    });
  }

  test('creating an existing zone succeeds', async () => {
    await records.ensureZone(wish, signal);
    await records.check(zone, signal);
  });

  test('logs in again when its token is refused', async () => {
    await records.check(zone, signal);
    await designate.revokeTokens();
    // Keystone revokes everything from that second.
    await waitFor('another login', () =>
      records.check(zone, signal).then(
        () => true,
        () => false,
      ),
    );
  });

  test('a wrong password is reported', async () => {
    const wrong = adapter('another');
    await expect(wrong.check(zone, signal)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await wrong.close();
  });

  test('a wildcard is found among many names that its asterisk matches', async () => {
    const wild = `many.${zone}`;
    const wanted = (name: string): WantedName => ({
      ...{ zone, name, writer: '00000000-0000-4000-8000-000000000000', owner: 'gslb/1', generation: 1 },
      ...{ records: [{ type: 'A', value: '192.0.2.1' }], ttlSeconds: 5, earlierRecords: [], readAtMs: Date.now() },
    });
    // In the order of names all of them come before it, and they fill more than a page.
    const names = Array.from({ length: 20 }, (_, index) => `*.a${index}.${wild}`);
    await designate.addAll(zone, names, 5, 'A', '192.0.2.2');
    expect(await records.publish(wanted(`*.${wild}`), signal)).toEqual({ state: 'PUBLISHED' });
    expect(await records.has(wanted(`*.${wild}`), signal)).toBe(true);
    expect(await designate.nameServer.dig(`any.${wild}`, 'A')).toEqual(['192.0.2.1']);
  });

  test('a zone that somebody deleted and created again is found again', async () => {
    const again = 'again.test';
    const wanted = {
      ...{ zone: again, name: `web.${again}`, writer: '00000000-0000-4000-8000-000000000000', owner: 'gslb/1' },
      ...{ generation: 1, records: [], ttlSeconds: 5, earlierRecords: [], readAtMs: Date.now() },
    };
    const other = adapter();
    await records.ensureZone({ ...wish, zone: again }, signal);
    expect(await records.has(wanted, signal)).toBe(false);
    await designate.removeZone(again);
    await other.ensureZone({ ...wish, zone: again }, signal);
    await other.close();
    await expect(records.has(wanted, signal)).rejects.toMatchObject({ code: 'NOT_AUTHORITATIVE' });
    expect(await records.has(wanted, signal)).toBe(false);
  });

  describeContract('the contract', 'DESIGNATE', async () => {
    const { add, removeAll, kill, start, nameServer } = designate;
    return {
      ...{ records: adapter(), kill, start, remove: async () => {} },
      dig: (name, type) => nameServer.dig(name, type),
      add: (name, ttl, type, value) => add(zone, name, ttl, type, value),
      removeAll: (name, type) => removeAll(zone, name, type),
    };
  });
});

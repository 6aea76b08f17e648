// Special cases of RFC 2136 on real servers: conditions, signatures, clocks. The rest is in the contract (backends/contract.ts).
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AddressRecord } from '../../dns/records/record-set.ts';
import type { DnsError } from '../../dns/servers/dns-error.ts';
import { fenceName } from '../../dns/servers/fence.ts';
import type { WantedName } from '../../dns/servers/record-server.ts';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import { bind, type NameServer, powerdns, zone } from './support/name-servers.ts';

const signal = new AbortController().signal;
const writer = randomUUID();
const a = (value: string): AddressRecord => ({ type: 'A', value });
const aaaa = (value: string): AddressRecord => ({ type: 'AAAA', value });

describe.each([
  ['PowerDNS', () => powerdns()],
  ['BIND', bind],
] as const)('%s', (nameOfServer, open) => {
  let server: NameServer;
  let records: Rfc2136Server;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    server = await open();
    records = new Rfc2136Server({ place: server.place, key: server.key, timeoutMs: 5_000 });
  });

  beforeEach(() => {
    count += 1;
    name = `web${count}.default.${zone}`;
  });

  afterAll(() => server.remove());

  function wanted(
    generation: number,
    addresses: readonly AddressRecord[],
    change: Partial<WantedName> = {},
  ): WantedName {
    return {
      ...{ zone, name, writer, owner: 'loadbalancer/1', generation, records: addresses, ttlSeconds: 5 },
      ...{ earlierRecords: [], readAtMs: Date.now(), ...change },
    };
  }

  const publish = (...args: Parameters<typeof wanted>) => records.publish(wanted(...args), signal);
  const digAll = async () => [...(await server.dig(name, 'A')), ...(await server.dig(name, 'AAAA'))];
  const fences = () => server.dig(fenceName(name), 'TXT');

  test('100 addresses: the update and the answers go over TCP', async () => {
    const many = Array.from({ length: 100 }, (_, index) => a(`10.1.2.${index}`));
    expect(await publish(1, many)).toEqual({ state: 'PUBLISHED' });
    expect(await server.dig(name, 'A')).toHaveLength(100);
  });

  test('withdrawing a name that was never published leaves a fence against late writers', async () => {
    await publish(2, []);
    expect(await publish(1, [a('192.0.2.1')])).toEqual({ state: 'OVERTAKEN', generation: 2 });
  });

  test('twenty writers with rising generations at once: the newest wins, in any order', async () => {
    const order = Array.from({ length: 20 }, (_, index) => index + 1).sort(() => Math.random() - 0.5);
    const tryUntilDone = async (generation: number): Promise<string> => {
      for (;;) {
        const result = await publish(generation, [a(`192.0.2.${generation}`)]).catch(
          (error: { code?: string }) => error,
        );
        if ('state' in result) return result.state;
        // It lost five races. The queue would try again.
        expect(['CHANGED_MEANWHILE', 'NOT_AS_PUBLISHED']).toContain(result.code);
      }
    };
    const results = await Promise.all(order.map(tryUntilDone));
    expect(results[order.indexOf(20)]).toBe('PUBLISHED');
    expect(await digAll()).toEqual(['192.0.2.20']);
    expect(await fences()).toEqual([expect.stringContaining('generation=20 ')]);
  });

  test('twenty writers of twenty databases at once: exactly one gets the name', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => publish(1, [a(`192.0.2.${index}`)], { writer: randomUUID() })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await server.dig(name, 'A')).toHaveLength(1);
    const codes = results.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(['NAME_TAKEN_BY_OTHERS']));
  });

  test.each([
    ['an address more', 'update add NAME 5 A 198.51.100.7'],
    ['an address less', 'update delete NAME A 192.0.2.2'],
    ['no addresses', 'update delete NAME A'],
  ])('drift is detected and corrected: %s', async (_what, line) => {
    const set = [a('192.0.2.1'), a('192.0.2.2')];
    await publish(1, set);
    await server.nsupdate(line.replace('NAME', name));
    expect(await records.has(wanted(1, set), signal)).toBe(false);
    expect(await publish(1, set)).toEqual({ state: 'PUBLISHED' });
    expect(await digAll()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('another TTL is drift too', async () => {
    await publish(1, [a('192.0.2.1')]);
    await server.nsupdate(`update delete ${name} A`, `update add ${name} 77 A 192.0.2.1`);
    expect(await records.has(wanted(1, [a('192.0.2.1')]), signal)).toBe(false);
    await publish(1, [a('192.0.2.1')]);
    expect(await records.has(wanted(1, [a('192.0.2.1')]), signal)).toBe(true);
  });

  test('a wildcard in the zone is neither a fence nor a record of the name', async () => {
    await server.nsupdate(
      `update add *.wild.${zone} 5 A 198.51.100.7`,
      `update add *.wild.${zone} 5 TXT "v=spf1 -all"`,
    );
    name = `web${count}.wild.${zone}`;
    expect(await publish(1, [a('192.0.2.1')])).toEqual({ state: 'PUBLISHED' });
    expect(await digAll()).toEqual(['192.0.2.1']);
    expect(await publish(2, [])).toEqual({ state: 'PUBLISHED' });
    await server.nsupdate(`update delete *.wild.${zone}`);
  });

  /** BIND reports its clock. PowerDNS only refuses. */
  async function expectTimeFault(attempt: Promise<unknown>): Promise<void> {
    const error = (await attempt.catch((each: unknown) => each)) as DnsError;
    expect(nameOfServer === 'BIND' ? ['BAD_TIME'] : ['REFUSED', 'BAD_KEY']).toContain(error.code);
    expect(error.message).toContain(nameOfServer === 'BIND' ? 'by its clock' : 'or the clocks differ');
  }

  test('the server itself refuses data that was read from the database too long ago', async () => {
    const late = publish(1, [a('192.0.2.1')], { readAtMs: Date.now() - 400_000 });
    await expectTimeFault(late);
    expect(await digAll()).toEqual([]);
    expect(await fences()).toEqual([]);
  });

  test.each([-3_600_000, 3_600_000])('a clock that is off by %d ms is reported', async (offMs) => {
    const now = () => Date.now() + offMs;
    const off = new Rfc2136Server({ place: server.place, key: server.key, timeoutMs: 5_000, now });
    await expectTimeFault(off.publish(wanted(1, [a('192.0.2.1')]), signal));
  });

  test.each([
    ['another secret', { secret: Buffer.alloc(32, 1) }, ['BAD_SIGNATURE', 'BAD_KEY', 'REFUSED']],
    ['another name', { name: 'other' }, ['BAD_KEY', 'REFUSED']],
    ['another algorithm', { algorithm: 'hmac-sha512' as const }, ['BAD_KEY', 'BAD_SIGNATURE', 'REFUSED']],
  ])('a key with %s is refused with its cause', async (_what, change, codes) => {
    const other = new Rfc2136Server({ place: server.place, key: { ...server.key, ...change }, timeoutMs: 5_000 });
    const error = await other.publish(wanted(1, [a('192.0.2.1')]), signal).catch((each) => each);
    expect(codes).toContain(error.code);
    expect(await digAll()).toEqual([]);
  });

  test('a zone that the server does not have', async () => {
    const elsewhere = { zone: 'other.test', name: 'web.other.test' };
    const error = await publish(1, [a('192.0.2.1')], elsewhere).catch((each) => each);
    expect(['REFUSED', 'NOT_AUTHORITATIVE']).toContain(error.code);
  });

  test('kill -9 after each update: acknowledged records are there', async () => {
    for (const generation of [1, 2, 3]) {
      await publish(generation, [a(`192.0.2.${generation}`)]);
      await server.kill();
      await expect(publish(9, [a('192.0.2.9')])).rejects.toMatchObject({ code: 'UNREACHABLE' });
      await server.start();
      expect(await records.has(wanted(generation, [a(`192.0.2.${generation}`)]), signal)).toBe(true);
    }
  });
});

test('a server with an IPv6 address, over UDP and TCP', async () => {
  const server = await powerdns('::1');
  try {
    const records = new Rfc2136Server({ place: server.place, key: server.key, timeoutMs: 5_000 });
    expect(records.name).toBe(`[::1]:${server.place.port}`);
    const name = `web.${zone}`;
    const wanted = {
      ...{ zone, name, writer, owner: 'loadbalancer/1', generation: 1, ttlSeconds: 5, earlierRecords: [] },
      ...{ records: [aaaa('2001:db8::1')], readAtMs: Date.now() },
    };
    expect(await records.publish(wanted, signal)).toEqual({ state: 'PUBLISHED' });
    expect(await server.dig(name, 'AAAA')).toEqual(['2001:db8::1']);
  } finally {
    await server.remove();
  }
});

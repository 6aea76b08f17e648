// The contract of a server that publishes names, the same for every adapter: its writes, the records it leaves unchanged, and the
// writers it refuses.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BackendType, capabilities } from '../../../dns/records/backend-types.ts';
import type { NameRecord } from '../../../dns/records/record-set.ts';
import type { DnsError } from '../../../dns/servers/dns-error.ts';
import { fenceName } from '../../../dns/servers/fence.ts';
import type { RecordServer, WantedName } from '../../../dns/servers/record-server.ts';
import { patience } from '../../support/machine/patience.ts';
import { zone } from '../support/name-servers.ts';

/** A real server, or its substitute, with its adapter. */
export interface ContractPlace {
  readonly records: RecordServer;
  /** Values as dig(1) prints them, sorted, which is the view of clients. */
  dig(name: string, type: string): Promise<readonly string[]>;
  /** As another administrator does. */
  add(name: string, ttl: number, type: string, value: string): Promise<void>;
  removeAll(name: string, type: string): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const a = (value: string): NameRecord => ({ type: 'A', value });
const aaaa = (value: string): NameRecord => ({ type: 'AAAA', value });
const alias = (value: string): NameRecord => ({ type: 'CNAME', value });

export function describeContract(title: string, type: BackendType, open: () => Promise<ContractPlace>): void {
  const { fence } = capabilities[type];

  describe(title, () => {
    const signal = new AbortController().signal;
    const writer = randomUUID();
    let place: ContractPlace;
    let records: RecordServer;
    let name: string;
    let count = 0;

    beforeAll(async () => {
      place = await open();
      records = place.records;
    }, 60_000 * patience);

    beforeEach(() => {
      count += 1;
      name = `web${count}.default.${zone}`;
    });

    afterAll(async () => {
      await records.close?.();
      await place.remove();
    });

    function wanted(
      generation: number,
      wantedRecords: readonly NameRecord[],
      change: Partial<WantedName> = {},
    ): WantedName {
      return {
        ...{ zone, name, writer, owner: 'loadbalancer/1', generation, records: wantedRecords, ttlSeconds: 5 },
        ...{ earlierRecords: [], readAtMs: Date.now(), ...change },
      };
    }

    const publish = (...args: Parameters<typeof wanted>) => records.publish(wanted(...args), signal);
    const digAll = async () => [...(await place.dig(name, 'A')), ...(await place.dig(name, 'AAAA'))];
    const fences = () => place.dig(fenceName(name), 'TXT');

    test('has the zone, and reports a missing zone', async () => {
      await records.check(zone, signal);
      const error: DnsError = await records.check('other.test', signal).catch((each) => each);
      expect(['REFUSED', 'NOT_AUTHORITATIVE']).toContain(error.code);
    });

    test('publish, change, withdraw: addresses of both versions with the fence, then no records', async () => {
      expect(await publish(1, [a('192.0.2.1'), a('192.0.2.2'), aaaa('2001:db8::1')])).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
      expect(await fences()).toEqual([`"tidegate writer=${writer} generation=1 records=3 owner=loadbalancer/1"`]);
      expect(await publish(2, [aaaa('2001:db8::2')])).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['2001:db8::2']);
      expect(await publish(3, [])).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual([]);
      expect(await fences()).toHaveLength(1);
      await records.forget(wanted(3, []), signal);
      expect(await fences()).toEqual([]);
    });

    test('a repetition changes nothing', async () => {
      const set = [a('192.0.2.1')];
      await publish(1, set);
      const serial = await place.dig(zone, 'SOA');
      expect(await publish(1, set)).toEqual({ state: 'PUBLISHED' });
      expect(await records.has(wanted(1, set), signal)).toBe(true);
      expect(await place.dig(zone, 'SOA')).toEqual(serial);
    });

    test('an alias replaces addresses, and addresses replace an alias', async () => {
      await publish(1, [a('192.0.2.1'), aaaa('2001:db8::1')]);
      expect(await publish(2, [alias('elsewhere.example.test')])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(name, 'CNAME')).toEqual(['elsewhere.example.test.']);
      expect(await records.has(wanted(2, [alias('elsewhere.example.test')]), signal)).toBe(true);
      expect(await publish(3, [alias('other.example.test')])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(name, 'CNAME')).toEqual(['other.example.test.']);
      expect(await publish(4, [a('192.0.2.4')])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(name, 'CNAME')).toEqual([]);
      expect(await digAll()).toEqual(['192.0.2.4']);
    });

    test("an alias beside others' records is refused, and nothing is lost", async () => {
      await publish(1, [a('192.0.2.1')]);
      await place.add(name, 300, 'TXT', '"theirs"');
      await expect(publish(2, [alias('elsewhere.example.test')])).rejects.toMatchObject({
        code: 'NAME_TAKEN_BY_OTHERS',
      });
      expect(await digAll()).toEqual(['192.0.2.1']);
      expect(await place.dig(name, 'TXT')).toEqual(['"theirs"']);
    });

    test('a wildcard answers for missing names, and is removed without a trace', async () => {
      const below = `any${count}.${zone}`;
      name = `*.${below}`;
      expect(await publish(1, [a('192.0.2.1')])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(`some.${below}`, 'A')).toEqual(['192.0.2.1']);
      expect(await publish(2, [alias('elsewhere.example.test')])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(`another.${below}`, 'CNAME')).toEqual(['elsewhere.example.test.']);
      expect(await publish(3, [])).toEqual({ state: 'PUBLISHED' });
      expect(await place.dig(`third.${below}`, 'A')).toEqual([]);
    });

    test('a name below a wildcard has its own records, and is free before it gets them', async () => {
      const below = `wild${count}.${zone}`;
      await place.add(`*.${below}`, 5, 'A', '198.51.100.7');
      name = `web.${below}`;
      expect(await publish(1, [a('192.0.2.1')])).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.1']);
      expect(await publish(2, [])).toEqual({ state: 'PUBLISHED' });
      await place.removeAll(`*.${below}`, 'A');
    });

    test('an older generation changes nothing, and the newer one is reported', async () => {
      await publish(5, [a('192.0.2.5')]);
      expect(await publish(4, [a('192.0.2.4')])).toEqual({ state: 'OVERTAKEN', generation: 5 });
      expect(await digAll()).toEqual(['192.0.2.5']);
    });

    test('an older generation does not bring a withdrawn name back', async () => {
      await publish(1, [a('192.0.2.1')]);
      await publish(2, []);
      expect(await publish(1, [a('192.0.2.1')])).toEqual({ state: 'OVERTAKEN', generation: 2 });
      expect(await digAll()).toEqual([]);
      expect(await publish(3, [a('192.0.2.3')])).toEqual({ state: 'PUBLISHED' });
    });

    test('a late writer is refused: its data was read from the database too long ago', async () => {
      await expect(publish(1, [a('192.0.2.1')], { readAtMs: Date.now() - 400_000 })).rejects.toMatchObject({
        code: expect.stringMatching(fence === 'SERVER' ? /^(BAD_TIME|BAD_KEY|REFUSED)$/ : /^CHANGED_MEANWHILE$/),
      });
      expect(await digAll()).toEqual([]);
      expect(await fences()).toEqual([]);
    });

    if (fence !== 'SERVER')
      test('a process that may have lost the name to another one changes nothing', async () => {
        await expect(publish(1, [a('192.0.2.1')], { isHeld: () => false })).rejects.toMatchObject({
          code: 'CHANGED_MEANWHILE',
        });
        expect([await digAll(), await fences()]).toEqual([[], []]);
      });

    test("another installation's name is theirs", async () => {
      await publish(1, [a('192.0.2.1')]);
      await expect(publish(1, [a('192.0.2.9')], { writer: randomUUID() })).rejects.toMatchObject({
        code: 'NAME_TAKEN_BY_OTHERS',
      });
      expect(await publish(2, [], { writer: randomUUID() })).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.1']);
    });

    test.each([
      ['an address', 'A', '198.51.100.7'],
      ['an alias', 'CNAME', 'elsewhere.example.test.'],
      ['a text', 'TXT', '"kept"'],
    ])(
      'a name at which others created %s belongs to them: refused, and the record stays',
      async (_what, made, value) => {
        await place.add(name, 300, made, value);
        await expect(publish(1, [a('192.0.2.1')])).rejects.toMatchObject({ code: 'NAME_TAKEN_BY_OTHERS' });
        expect(await place.dig(name, made)).toEqual([value]);
        // Its withdrawal does not touch them either.
        expect(await publish(2, [])).toEqual({ state: 'PUBLISHED' });
        expect(await place.dig(name, made)).toEqual([value]);
      },
    );

    test("others' records of other types beside ours stay", async () => {
      await publish(1, [a('192.0.2.1')]);
      await place.add(name, 300, 'TXT', '"theirs"');
      await publish(2, [a('192.0.2.2')]);
      await publish(3, []);
      expect(await place.dig(name, 'TXT')).toEqual(['"theirs"']);
      // Now the name belongs to the others.
      await expect(publish(4, [a('192.0.2.4')])).rejects.toMatchObject({ code: 'NAME_TAKEN_BY_OTHERS' });
    });

    test('drift is detected and corrected', async () => {
      const set = [a('192.0.2.1'), a('192.0.2.2')];
      await publish(1, set);
      await place.removeAll(name, 'A');
      expect(await records.has(wanted(1, set), signal)).toBe(false);
      expect(await publish(1, set)).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.1', '192.0.2.2']);
      await place.removeAll(name, 'A');
      for (const value of ['192.0.2.1', '192.0.2.2']) await place.add(name, 77, 'A', value);
      expect(await records.has(wanted(1, set), signal)).toBe(false);
      await publish(1, set);
      expect(await records.has(wanted(1, set), signal)).toBe(true);
    });

    test('a lost fence is restored if the records beside it are exactly ours; otherwise the name is not ours', async () => {
      const set = [a('192.0.2.1'), aaaa('2001:db8::1')];
      await publish(1, set);
      await place.removeAll(fenceName(name), 'TXT');
      await expect(publish(2, set, { earlierRecords: [a('192.0.2.1')] })).rejects.toMatchObject({
        code: 'NAME_TAKEN_BY_OTHERS',
      });
      expect(await publish(2, [a('192.0.2.2')], { earlierRecords: set })).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.2']);
    });

    test('a dead server is reported, and has all acknowledged records after its return', async () => {
      await publish(1, [a('192.0.2.1')]);
      await place.kill();
      await expect(publish(9, [a('192.0.2.9')])).rejects.toMatchObject({ code: 'UNREACHABLE' });
      await expect(records.check(zone, signal)).rejects.toMatchObject({ code: 'UNREACHABLE' });
      await place.start();
      expect(await records.has(wanted(1, [a('192.0.2.1')]), signal)).toBe(true);
      expect(await publish(2, [a('192.0.2.2')])).toEqual({ state: 'PUBLISHED' });
      expect(await digAll()).toEqual(['192.0.2.2']);
    });
  });
}

// Wanted record sets: one owner per name, declared and withdrawn in the owner's transaction.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { nameFault, zoneFault } from '../../dns/names.ts';
import { isPublished, type RecordSet } from '../../dns/records/record-set.ts';
import {
  type Declaration,
  declareRecords,
  mostRecords,
  readRecordSet,
  withdrawRecords,
} from '../../dns/records/record-store.ts';
import { forFile } from '../support/jest/shared.ts';
import { openDnsContext } from './support/dns-context.ts';

const ground = forFile(() => openDnsContext());
const zone = 'lb.example.test';
const name = `web.default.${zone}`;
const base: Declaration = { zone, name, owner: 'loadbalancer/1', records: [], ttlSeconds: 5 };
const a = (value: string) => ({ type: 'A', value }) as const;

beforeEach(async () => {
  for (const table of ['dns_record_set', 'dns_zone', 'owed_work']) await ground.db.execute(`DELETE FROM ${table}`);
});

function declare(change: Partial<Declaration> = {}): Promise<RecordSet> {
  return ground.db.transaction((tx) => declareRecords(tx, ground.wake, { ...base, ...change }));
}

function withdraw(owner = base.owner): Promise<void> {
  return ground.db.transaction((tx) => withdrawRecords(tx, ground.wake, { zone, name, owner }));
}

const read = () => readRecordSet(ground.db, { zone, name });

async function owed(): Promise<readonly string[]> {
  const rows = await ground.db.query<{ kind: string; wanted: number }>(
    'SELECT kind, wanted FROM owed_work ORDER BY kind',
  );
  return rows.map(({ kind, wanted }) => `${kind} ${wanted}`);
}

describe('a declaration', () => {
  test('raises the generation and owes the publication; a repetition, in any order, does not', async () => {
    const records = [a('192.0.2.2'), a('192.0.2.1')];
    expect(await declare({ records, followUp: { kind: 'k', key: '1' } })).toMatchObject({ generation: 1 });
    expect(await owed()).toEqual(['dns-look 1', 'dns-publish 1']);
    const again = await declare({ records: [...records].reverse(), followUp: { kind: 'k', key: '1' } });
    expect(again).toEqual(await read());
    expect(await owed()).toEqual(['dns-look 1', 'dns-publish 1']);
    expect(await declare({ records: [a('192.0.2.1')] })).toMatchObject({ generation: 2, followUp: null });
    expect(await declare({ records: [a('192.0.2.1')], ttlSeconds: 60 })).toMatchObject({ generation: 3 });
    expect(isPublished(again)).toBe(false);
  });

  test('without records reserves a name, which is then published without records', async () => {
    const set = await declare();
    expect(set).toMatchObject({ generation: 0, records: [] });
    expect(isPublished(set)).toBe(true);
    expect(await owed()).toEqual(['dns-look 1']);
  });

  test('without records keeps the records of the name', async () => {
    await declare({ records: [a('192.0.2.1')] });
    expect(await declare()).toMatchObject({ generation: 1, records: [a('192.0.2.1')] });
    expect(await declare({ ttlSeconds: 60 })).toMatchObject({ generation: 2, records: [a('192.0.2.1')] });
  });

  test('by another owner is refused, even for a name that is only reserved', async () => {
    await declare();
    await expect(declare({ owner: 'gslb/1' })).rejects.toThrow('NAME_TAKEN');
    expect(await read()).toMatchObject({ owner: 'loadbalancer/1' });
  });

  test('is undone with its transaction', async () => {
    const failed = ground.db.transaction(async (tx) => {
      await declareRecords(tx, ground.wake, { ...base, records: [a('192.0.2.1')] });
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    expect([await read(), await owed()]).toEqual([undefined, []]);
  });

  test('of one name by twenty at once: exactly one gets it', async () => {
    const owners = Array.from({ length: 20 }, (_, index) => `loadbalancer/${index}`);
    const results = await Promise.allSettled(owners.map((owner) => declare({ owner, records: [a('192.0.2.1')] })));
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(19);
    for (const each of refused) expect(String((each as PromiseRejectedResult).reason)).toContain('NAME_TAKEN');
    expect(await read()).toMatchObject({ generation: 1 });
  });
});

describe('a withdrawal', () => {
  test('empties the name and owes the publication; a repetition has no further effect', async () => {
    await declare({ records: [a('192.0.2.1')] });
    await withdraw();
    await withdraw();
    expect(await read()).toMatchObject({ withdrawn: true, records: [], generation: 2 });
  });

  test('ends for its owner when another one gets the name before the servers have lost it', async () => {
    await declare({ records: [a('192.0.2.1')], followUp: { kind: 'k', key: '1' } });
    await withdraw();
    expect(await owed()).not.toContain('k 1');
    await declare({ owner: 'loadbalancer/2', records: [a('192.0.2.2')], followUp: { kind: 'other', key: '2' } });
    expect(await owed()).toContain('k 1');
    expect(await owed()).not.toContain('other 1');
  });

  test('by another owner does nothing', async () => {
    await declare({ records: [a('192.0.2.1')] });
    await withdraw('gslb/1');
    expect(await read()).toMatchObject({ withdrawn: false, generation: 1 });
  });

  test('of a name that never had records removes it', async () => {
    await declare();
    await withdraw();
    expect(await read()).toBeUndefined();
  });

  test('frees the name at once, with rising generations', async () => {
    await declare({ records: [a('192.0.2.1')] });
    await withdraw();
    const next = { owner: 'gslb/1', records: [a('192.0.2.2')] };
    expect(await declare(next)).toMatchObject({ ...next, withdrawn: false, generation: 3 });
    await withdraw('gslb/1');
    // Nothing is kept from an earlier owner.
    expect(await declare()).toMatchObject({ owner: 'loadbalancer/1', records: [], generation: 5 });
  });
});

describe('refused input', () => {
  const six = (value: string) => ({ type: 'AAAA', value }) as const;
  const many = Array.from({ length: mostRecords + 1 }, (_, index) => a(`10.0.${index >> 8}.${index & 255}`));
  test.each<[string, Partial<Declaration>]>([
    ['no address', { records: [a('example.test')] }],
    ['an address in an unusual form', { records: [a('0x7f.1')] }],
    ['a block', { records: [a('192.0.2.0/24')] }],
    ['an address of the other version', { records: [six('192.0.2.1')] }],
    ['an address that is not canonical', { records: [six('2001:DB8::1')] }],
    ['too many addresses', { records: many }],
    ['a TTL of zero', { ttlSeconds: 0 }],
    ['a TTL that is no whole number', { ttlSeconds: 1.5 }],
    ['a name in another zone', { name: 'web.example.test' }],
    ['a name that only ends like the zone', { name: `web${zone}` }],
    ['the zone itself', { name: zone }],
    ['a label with an underscore', { name: `_web.${zone}` }],
    ['a wildcard that is not the first label', { name: `web.*.${zone}` }],
    ['a label with a wildcard in it', { name: `web*.${zone}` }],
    ['an empty label', { name: `web..${zone}` }],
    ['capital letters', { name: `Web.${zone}` }],
    ['a final dot', { name: `${name}.`, zone: `${zone}.` }],
    ['a line break', { name: `web\n.${zone}` }],
    ['a label of 64 characters', { name: `${'a'.repeat(64)}.${zone}` }],
  ])('%s', async (_what, change) => {
    await expect(declare(change)).rejects.toThrow('INVALID_INPUT');
    expect(await owed()).toEqual([]);
  });
});

test('a name may have 243 characters: the fence before it makes 253', () => {
  const label = 'a'.repeat(61);
  const long = (length: number) => `${`${label}.`.repeat(4).slice(0, length - zone.length - 1)}.${zone}`;
  expect(nameFault(zone, long(243))).toBeUndefined();
  expect(nameFault(zone, long(244))).toContain('at most 243');
  expect(zoneFault('example..test')).toContain('is not a zone');
});

// Signatures are valid for an independent validator: delv, with the zone's key as its trust anchor.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClocks } from '../../../dns/answerer/clocks.ts';
import { nameAfter, typeBitMap } from '../../../dns/answerer/dnssec/denial.ts';
import { dsText, makeKey } from '../../../dns/answerer/dnssec/keys.ts';
import { question, read, types } from './support/packets.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';
import { responderOf } from './support/responder.ts';
import { type TestServer, testServer } from './support/server.ts';

const keys = [makeKey(257, true), makeKey(256, true)];
const names = [
  namePlan('shop', { members: [member('m2', { addresses: ['192.0.2.2', '2001:db8::2'] }), member('m1')] }),
  namePlan('*.wild'),
  namePlan('a.deep'),
  namePlan('alias', { members: [member('m1', { cname: 'target.example.net.' })] }),
  namePlan('down', { members: [member('m1', { up: false })] }),
];
const plan = zonePlan(names, { keys });

describe('asked with delv', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer(plan);
  });
  afterAll(() => server.close());

  test.each([
    ['records', [`shop.${zone}`, 'A'], '192.0.2.2'],
    ['IPv6', [`shop.${zone}`, 'AAAA'], '2001:db8::2'],
    ['a wildcard', [`x.wild.${zone}`, 'A'], '192.0.2.1'],
    ['the SOA', [zone, 'SOA'], 'hostmaster'],
    ['the name servers', [zone, 'NS'], 'ns2.example.net.'],
    ['the keys', [zone, 'DNSKEY'], 'DNSKEY'],
    ['an address of a name server', [`ns1.${zone}`, 'AAAA'], '2001:db8::53'],
    ['over TCP', ['+tcp', `shop.${zone}`, 'A'], '192.0.2.1'],
  ])('%s', async (_what, words, expected) => {
    const said = await server.delv(...words);
    expect(said).toContain('; fully validated');
    expect(said).toContain(expected);
  });

  test.each([
    ['a type that a name does not have', `shop.${zone}`, 'TXT'],
    ['a name that is down', `down.${zone}`, 'A'],
    ['an empty non-terminal', `deep.${zone}`, 'A'],
    ['a name that is not there', `none.${zone}`, 'A'],
    ['below a name', `x.shop.${zone}`, 'AAAA'],
    ['a type of a wildcard', `x.wild.${zone}`, 'AAAA'],
    ['a type of the zone', zone, 'A'],
    ['a byte that is a capital letter in Latin 1 alone', `\\192.${zone}`, 'A'],
  ])('denial: %s', async (_what, name, type) => {
    const said = await server.delv(name, type);
    expect(said).toContain('; negative response, fully validated');
  });

  test('the alias itself is signed', async () => {
    expect(await server.delv(`alias.${zone}`, 'CNAME')).toContain('; fully validated');
  });

  test('keys are rolled: published, then signing, then removed, and always valid', async () => {
    const [, old] = keys;
    const next = makeKey(256, false);
    const roll = async (generation: number, changed: typeof keys) => {
      const { names: _names, history, generation: from, ...head } = server.answerer.plan(zone) ?? plan;
      const change = {
        zone,
        history,
        from,
        to: generation,
        head: { ...head, keys: changed },
        names: [],
        removedNames: [],
      };
      expect(server.answerer.change(change)).toBe('TAKEN');
      const said = await server.delv('+rtrace', `shop.${zone}`, 'A');
      expect(said).toContain('; fully validated');
      return /RRSIG\s+A 13 4 30 \d+ \d+ (\d+)/.exec(said)?.[1];
    };
    const [entry] = keys as [typeof next];
    expect(await roll(8, [...keys, next])).toBe(String(old?.keyTag));
    expect(await roll(9, [entry, { ...(old as typeof next), active: false }, { ...next, active: true }])).toBe(
      String(next.keyTag),
    );
    expect(await roll(10, [entry, { ...next, active: true }])).toBe(String(next.keyTag));
  });
});

describe('a zone below another one of the same server', () => {
  const inner = `inner.${zone}`;
  const below = (own: typeof keys) => ({
    ...zonePlan([namePlan('', { fqdn: `www.${inner}` })], { keys: own }),
    zone: inner,
    nameServers: [{ name: 'ns2.example.net.', addresses: [] }],
  });
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer(plan);
  });
  afterAll(() => server.close());

  test('signed: the zone above names it', async () => {
    const own = [makeKey(257, true), makeKey(256, true)];
    server.answerer.put(below(own));
    const said = await server.delv(inner, 'DS');
    expect(said).toContain('; fully validated');
    expect(said.replaceAll(' ', '')).toContain(
      dsText(inner, own[0] as (typeof own)[0])
        .split(' ')
        .at(-1),
    );
    expect(await server.delv(`www.${inner}`, 'A')).toContain('; fully validated');
    expect(await server.delv(`none.${inner}`, 'A')).toContain('; negative response, fully validated');
  });

  test('unsigned: the zone above proves it', async () => {
    server.answerer.remove(inner);
    server.answerer.put(below([]));
    expect(await server.delv(inner, 'DS')).toContain('; negative response, fully validated');
    const said = await server.delv(`www.${inner}`, 'A');
    expect(said).toContain('; unsigned answer');
    expect(said).toContain('192.0.2.1');
  });
});

describe('packets', () => {
  const edns = (flags: number, type = types.A) => ({ type, edns: { flags } });
  const { ask, answer, clock } = responderOf(plan);

  test('nothing is signed unless the client asks for it', () => {
    expect(answer(question(`shop.${zone}`, edns(0))).counts).toEqual([1, 2, 0, 1]);
    expect(answer(question(`none.${zone}`, edns(0)))).toMatchObject({ rcode: 3, counts: [1, 0, 1, 1] });
  });

  test('a missing name has only NXNAME; clients that understand it get NXDOMAIN (RFC 9824)', () => {
    const whole = (label: string) => ask(question(`${label}.${zone}`, edns(0x8000)), { udp: false }) as Buffer;
    const plain = whole('none');
    expect(read(plain)).toMatchObject({ rcode: 0, counts: [1, 0, 4, 1], ednsFlags: 0x8000 });
    expect(plain.includes(typeBitMap([types.RRSIG, types.NSEC, 128]))).toBe(true);
    expect(answer(question(`none.${zone}`, edns(0xc000)))).toMatchObject({ rcode: 3, ednsFlags: 0xc000 });
    expect(whole('deep').includes(typeBitMap([types.RRSIG, types.NSEC]))).toBe(true);
  });

  test('the NSEC record of a name is there for clients that ask', () => {
    expect(answer(question(`shop.${zone}`, edns(0x8000, types.NSEC))).counts).toEqual([1, 2, 0, 1]);
  });

  test('a signature is kept until a day before its end, and then renewed', () => {
    const signatureOf = () => read(ask(question(`shop.${zone}`, edns(0x8000)))).answers.at(-1);
    const first = signatureOf();
    const expiry = (text = '') => Number.parseInt(text.split(' ')[1]?.slice(16, 24) ?? '', 16);
    clock.nowMs += 86_399_000;
    expect(signatureOf()).toBe(first);
    clock.nowMs += 1_000;
    expect(expiry(signatureOf())).toBe(expiry(first) + 86_400);
  });
});

test('a signature from a clock that was ahead is renewed once the clock is set back', async () => {
  const { ask, clock } = responderOf(plan);
  const inceptionOf = () => {
    const text = read(ask(question(`shop.${zone}`, { edns: { flags: 0x8000 } }))).answers.at(-1) ?? '';
    return Number.parseInt(text.split(' ')[1]?.slice(24, 32) ?? '', 16);
  };
  const rightSeconds = clock.nowMs / 1_000;
  clock.nowMs += 40 * 86_400_000;
  expect(inceptionOf()).toBeGreaterThan(rightSeconds);
  clock.nowMs -= 40 * 86_400_000;
  expect(inceptionOf()).toBeLessThanOrEqual(rightSeconds - 86_400);
});

test('a validator accepts signatures of a name server whose clock is 5 hours ahead, and after it is corrected', async () => {
  let aheadMs = 5 * 3_600_000;
  const clocks = { ...systemClocks(), wallMs: () => Date.now() + aheadMs };
  const server = await testServer(plan, { clocks });
  try {
    expect(await server.delv(`shop.${zone}`, 'A')).toContain('; fully validated');
    aheadMs = 10 * 86_400_000;
    await server.dig('+dnssec', `down.${zone}`, 'A');
    await server.dig('+dnssec', `shop.${zone}`, 'AAAA');
    aheadMs = 0;
    expect(await server.delv(`shop.${zone}`, 'AAAA')).toContain('; fully validated');
    expect(await server.delv(`down.${zone}`, 'A')).toContain('; negative response, fully validated');
  } finally {
    await server.close();
  }
});

test('types and the next name are written as in RFC 4034', () => {
  // Section 4.3: A MX RRSIG NSEC TYPE1234.
  expect(typeBitMap([47, 46, 1_234, 15, 1]).toString('hex')).toBe(`0006400100000003041b${'00'.repeat(26)}20`);
  expect(nameAfter('\x01a\0')).toBe('\x01\0\x01a\0');
  const long = (end: string) =>
    `\x3f${'a'.repeat(62)}${end}${`\x3f${'b'.repeat(63)}`.repeat(2)}\x3d${'c'.repeat(61)}\0`;
  expect(long('x')).toHaveLength(255);
  expect(nameAfter(long('x'))).toBe(long('y'));
  expect(nameAfter(long('@'))).toBe(long('['));
  expect(nameAfter(long('\xff')).slice(0, 63)).toBe(`\x3e${'a'.repeat(61)}b`);
});

test('the DS record matches the key (RFC 4509), and a key that does not match is refused', () => {
  // RFC 6605 section 6.1.
  const publicKey = 'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==';
  const key = { keyTag: 55_648, algorithm: 13, flags: 257, publicKey, privateKey: '', active: true } as const;
  expect(dsText('example.net.', key)).toBe(
    '55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17',
  );
  const { zones } = responderOf(plan);
  const [one, other] = [makeKey(257, true), makeKey(257, true)];
  const mixed = { ...one, publicKey: other.publicKey };
  expect(() => zones.put({ ...plan, generation: 99, keys: [mixed] })).toThrow('public key');
  expect(() => zones.put({ ...plan, generation: 99, keys: [{ ...one, keyTag: 1 }] })).toThrow('tag');
  expect(() => zones.put({ ...plan, generation: 99, keys: [{ ...one, active: false }] })).toThrow('active');
  expect(zones.get(zone)?.position.number).toBe(7);
});

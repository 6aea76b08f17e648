// Limits for clients that have not proven their address, which may be forged: how many answers they get, and how large ones.
import { describe, expect, test } from '@jest/globals';
import { makeKey } from '../../../dns/answerer/dnssec/keys.ts';
import { type AnswerLimit, RateLimiter, usualLimit } from '../../../dns/answerer/reply/rate-limiter.ts';
import { option, question, read, subnet, types } from './support/packets.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';
import { responderOf } from './support/responder.ts';

const address4 = (index: number) => `192.0.${index >> 8}.${index & 255}`;
const address6 = (index: number) => `2001:db8::${(index + 1).toString(16)}`;
const addresses = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, at) => of(at));
const longLabel = 'l'.repeat(63);
const labels = ['one', 'four', 'sixteen', 'six16', 'mixed', 'alias', 'down', 'fails', 'a.b.deep', 'x.wild', 'none'];
const plan = zonePlan(
  [
    namePlan('one'),
    namePlan('four', { members: [member('m', { addresses: addresses(4, address4) })] }),
    namePlan('sixteen', { members: [member('m', { addresses: addresses(16, address4) })] }),
    namePlan('six16', { members: [member('m', { addresses: addresses(16, address6) })] }),
    namePlan('mixed', { members: [member('m', { addresses: [address4(0), address6(0)] })] }),
    namePlan('alias', { members: [member('m', { cname: `${longLabel}.${longLabel}.${longLabel}.example.net.` })] }),
    namePlan('down', { members: [member('m', { up: false })] }),
    namePlan('fails', { members: [member('m', { up: false })], noneUp: { do: 'SERVFAIL' } }),
    namePlan('a.b.deep'),
    namePlan('*.wild'),
    namePlan(longLabel),
  ],
  {
    keys: [makeKey(257, true), makeKey(257, true), makeKey(256, true), makeKey(256, false)],
    nameServers: Array.from({ length: 16 }, (_, at) => ({
      name: `ns${at}.${zone}`,
      addresses: [address4(at), address6(at)],
    })),
  },
);
const names = [
  ...[zone, 'example.org.', '.', `ns1.${zone}`, `b.deep.${zone}`, `deep.${zone}`, `${longLabel}.${zone}`],
  ...labels.map((label) => `${label}.${zone}`),
];
const asked = [...Object.values(types), 6, 12, 15, 33, 64, 65, 250, 251, 252, 255, 257];

describe('without a cookie, over UDP', () => {
  const { ask, responder } = responderOf(plan);
  const withoutEdns = names.flatMap((name) => asked.map((type) => question(name, { type })));
  const nsid = option(3, Buffer.alloc(0));
  const withEdns = [0, 0x8000, 0xc000].flatMap((flags) =>
    [Buffer.alloc(0), nsid, subnet(1, 24, [192, 0, 2]), option(10, Buffer.alloc(8, 3))].flatMap((options) =>
      names.flatMap((name) => asked.map((type) => question(name, { type, options, edns: { flags, payload: 65_535 } }))),
    ),
  );
  const unusual = [
    ...[question('age.tidegate', { type: types.TXT, class: 3 }), question(zone, { flags: 5 << 11 })],
    ...[
      question(zone, { edns: { version: 1 } }),
      question(zone, { counts: [0, 0, 0, 0] }),
      question(zone).subarray(0, 12),
    ],
  ];

  test('no answer is larger than six times its question, and a larger one is truncated', () => {
    let truncated = 0;
    for (const packet of [...withoutEdns, ...withEdns, ...unusual]) {
      const bytes = ask(packet) as Buffer;
      const what = packet.toString('hex');
      expect([what, bytes.length <= 6 * packet.length]).toEqual([what, true]);
      if (!read(bytes).flags.tc) continue;
      truncated += 1;
      expect([what, read(bytes).counts.slice(0, 3)]).toEqual([what, [1, 0, 0]]);
      const whole = ask(packet, { udp: false }) as Buffer;
      expect([what, read(whole).flags.tc, whole.length > Math.min(6 * packet.length, 512)]).toEqual([
        what,
        false,
        true,
      ]);
    }
    expect(truncated).toBeGreaterThan(100);
    expect(responder.counts.truncated).toBe(truncated);
  });

  test('a cookie lifts the limit', () => {
    const asks = (options: Buffer) => read(ask(question(`none.${zone}`, { options, edns: { flags: 0x8000 } })));
    const first = asks(option(10, Buffer.alloc(8, 3)));
    expect(first.flags.tc).toBe(true);
    const cookie = Buffer.from(first.options.get(10) ?? '', 'hex');
    expect(asks(option(10, cookie))).toMatchObject({ flags: { tc: false }, counts: [1, 0, 4, 1] });
    expect(responder.counts.proven).toBe(1);
  });
});

describe('how many answers a network gets', () => {
  /** The answers in `seconds` to alternating queries for `kinds` names. */
  function flood(limiter: RateLimiter, { kinds = 1, perSecond = 5_000, seconds = 3, from = '192.0.2' } = {}) {
    const got = { ANSWER: 0, SLIP: 0, DROP: 0 };
    const network = Buffer.from([...from.split('.').map(Number), 0]);
    for (let at = 0; at < perSecond * seconds; at += 1) {
      network[3] = at & 255;
      got[limiter.allow(network, at % kinds, 1_000 + (1_000 * at) / perSecond)] += 1;
    }
    return got;
  }

  test.each([
    [1, 20],
    [5, 100],
    [10, 200],
    [100, 200],
    [1_000, 200],
    [100_000, 200],
  ])('of %i names: %i a second', (kinds, mostPerSecond) => {
    const seconds = 3;
    const got = flood(new RateLimiter(usualLimit), { kinds, seconds });
    // The bucket is full at the start.
    expect(got.ANSWER).toBeLessThanOrEqual(mostPerSecond * (seconds + 1));
    expect(got.ANSWER).toBeGreaterThan(mostPerSecond * seconds * 0.9);
    expect(Math.abs(got.SLIP - got.DROP)).toBeLessThanOrEqual(1);
  });

  test('using many networks does not raise the limit of one', () => {
    const limiter = new RateLimiter(usualLimit);
    const got = { victim: 0, others: 0 };
    for (let at = 0; at < 100_000; at += 1) {
      const atMs = 1_000 + at / 100;
      if (limiter.allow(Buffer.from([192, 0, 2, 1]), at % 50, atMs) === 'ANSWER') got.victim += 1;
      // 100,000 queries a second from networks that each query rarely.
      const other = Buffer.from([10 + (at % 7), (at >> 8) & 255, at & 255, 1]);
      if (limiter.allow(other, 1, atMs) === 'ANSWER') got.others += 1;
    }
    expect(got.victim).toBeLessThanOrEqual(200 * 2);
    expect(got.others / 100_000).toBeGreaterThan(0.5);
  });

  test('an IPv6 network is a /56', () => {
    const limiter = new RateLimiter({ ...usualLimit, answersPerSecond: 1 } satisfies AnswerLimit);
    const of = (byte: number, last: number) =>
      Buffer.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, byte, ...Array(7).fill(0), last]);
    const from = (first: number, byte: number, last: number) => {
      const bytes = of(byte, last);
      bytes[6] = first;
      return limiter.allow(bytes, 1, 1_000);
    };
    expect([from(1, 1, 1), from(1, 2, 9), from(2, 1, 1)]).toEqual(['ANSWER', 'DROP', 'ANSWER']);
  });

  test('answers over TCP, and to a valid cookie, do not count', () => {
    const { ask } = responderOf(plan, { limit: usualLimit });
    const name = `one.${zone}`;
    const given = read(ask(question(name, { options: option(10, Buffer.alloc(8, 3)) }))).options.get(10) ?? '';
    const known = question(name, { options: option(10, Buffer.from(given, 'hex')) });
    for (let count = 0; count < 1_000; count += 1) {
      expect(read(ask(known)).counts[1]).toBe(1);
      expect(read(ask(question(name), { udp: false })).counts[1]).toBe(1);
    }
    const unproven = Array.from({ length: 100 }, () => ask(question(name)));
    // The first one was counted.
    expect(unproven.filter((bytes) => bytes !== undefined && !read(bytes).flags.tc)).toHaveLength(19);
  });
});

// The answer to each kind of query, packet by packet.
import { describe, expect, test } from '@jest/globals';
import { noGeo } from '../../../dns/policy/client.ts';
import { option, question, read, subnet, types, uint16, wireName } from './support/packets.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';
import { responderOf } from './support/responder.ts';

const shop = `shop.${zone}`;
const many = Array.from({ length: 60 }, (_, index) => `2001:db8::${(index + 1).toString(16)}`);
const plan = zonePlan([
  namePlan('shop', { members: [member('m1'), member('m2', { addresses: ['192.0.2.2', '2001:db8::2'] })] }),
  namePlan('twice', { members: [member('m1'), member('m2')] }),
  namePlan('a.b.deep'),
  namePlan('*.wild', { members: [member('m1', { addresses: ['192.0.2.9'] })] }),
  namePlan('below.here.wild'),
  namePlan('alias', { members: [member('m1', { cname: 'target.example.net.' })] }),
  namePlan('down', { members: [member('m1', { up: false })] }),
  namePlan('fails', { members: [member('m1', { up: false })], noneUp: { do: 'SERVFAIL' } }),
  namePlan('half', { members: [member('m1', { up: false }), member('m2', { addresses: ['2001:db8::2'] })] }),
  namePlan('', { members: [member('m1', { up: false })] }),
  namePlan('large', { members: [member('m1', { addresses: many })] }),
]);
const { ask, answer } = responderOf(plan);

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, NOTAUTH: 9, BADVERS: 16 };
const edns = { options: Buffer.alloc(0) };
const cookie8 = option(10, Buffer.alloc(8, 3));

test('an answer repeats the question and its flags', () => {
  const packet = question('ShOp.gSlB.example.TEST', { flags: 0x0110 });
  const bytes = ask(packet);
  expect(bytes?.subarray(12, packet.length)).toEqual(packet.subarray(12));
  expect(read(bytes)).toMatchObject({ rcode: 0, counts: [1, 2, 0, 0], ttl: 30 });
  // AD and CD are not copied.
  expect(bytes?.readUInt16BE(2)).toBe(0x8500);
  expect(answer(packet).answers).toEqual(['1 c0000201', '1 c0000202']);
});

test('two members with one address give one record', () => {
  expect(answer(question(`twice.${zone}`)).answers).toEqual(['1 c0000201']);
});

describe.each<[string, Buffer, number, number[]?]>([
  ['no question', question(shop, { counts: [0, 0, 0, 0] }), rcodes.FORMERR],
  ['two questions', question(shop, { counts: [2, 0, 0, 0], rest: question(shop).subarray(12) }), rcodes.FORMERR],
  ['a name that is cut off', question(shop).subarray(0, 20), rcodes.FORMERR],
  ['a question that is cut off', question(shop).subarray(0, -1), rcodes.FORMERR],
  [
    'a pointer in the question',
    Buffer.concat([question(shop).subarray(0, 12), Buffer.from([0xc0, 0, 0, 1, 0, 1])]),
    rcodes.FORMERR,
  ],
  ['bytes after the end', question(shop, { rest: Buffer.alloc(1) }), rcodes.FORMERR],
  ['a record that is not there', question(shop, { counts: [1, 0, 0, 1] }), rcodes.FORMERR],
  [
    'two OPT records',
    question(shop, { ...edns, counts: [1, 0, 0, 2], rest: Buffer.from([0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0]) }),
    rcodes.FORMERR,
  ],
  ['an OPT record among answers', question(shop, { ...edns, counts: [1, 1, 0, 0] }), rcodes.FORMERR],
  ['a version of EDNS that is not there yet', question(shop, { edns: { version: 1 } }), rcodes.BADVERS],
  ['an option that is cut off', question(shop, { options: Buffer.from([0, 3, 0, 9]) }), rcodes.FORMERR],
  ['an update', question(shop, { flags: 5 << 11 }), rcodes.NOTIMP],
  ['a notification', question(shop, { flags: 4 << 11 }), rcodes.NOTIMP],
  ['a zone transfer', question(zone, { type: 252 }), rcodes.REFUSED],
  [
    'an incremental transfer',
    question(zone, {
      type: 251,
      counts: [1, 0, 1, 0],
      rest: Buffer.concat([wireName(zone), uint16(6), uint16(1), Buffer.alloc(6)]),
    }),
    rcodes.REFUSED,
  ],
  ['RRSIG records by themselves', question(shop, { type: 46 }), rcodes.REFUSED],
  ['the type NXNAME', question(shop, { type: 128 }), rcodes.FORMERR],
  ['another class', question(shop, { class: 3 }), rcodes.REFUSED],
  ['any class', question(shop, { class: 255 }), rcodes.REFUSED],
  ['a zone of others', question('www.example.org'), rcodes.REFUSED],
  ['the root', question('.'), rcodes.REFUSED],
  [
    'a signature',
    question(shop, {
      counts: [1, 0, 0, 1],
      rest: Buffer.concat([wireName('key'), uint16(250), uint16(255), Buffer.alloc(6)]),
    }),
    rcodes.NOTAUTH,
  ],
  ['a subnet of an unknown family', question(shop, { options: subnet(3, 0, []) }), rcodes.FORMERR],
  ['a subnet with bits beyond its prefix', question(shop, { options: subnet(1, 20, [192, 0, 0x1f]) }), rcodes.FORMERR],
  ['a subnet with too few bytes', question(shop, { options: subnet(1, 24, [192, 0]) }), rcodes.FORMERR],
  ['a subnet with too many bytes', question(shop, { options: subnet(1, 24, [192, 0, 2, 0]) }), rcodes.FORMERR],
  ['a subnet longer than an address', question(shop, { options: subnet(1, 33, [192, 0, 2, 0, 0]) }), rcodes.FORMERR],
  ['a subnet with a scope', question(shop, { options: subnet(1, 24, [192, 0, 2], 24) }), rcodes.FORMERR],
  ['two subnets', question(shop, { options: Buffer.concat([subnet(1, 0, []), subnet(1, 0, [])]) }), rcodes.FORMERR],
  ['a cookie of nine bytes', question(shop, { options: option(10, Buffer.alloc(9)) }), rcodes.FORMERR],
  ['a name whose zone has it down, without data', question(`fails.${zone}`), rcodes.SERVFAIL],
])('%s', (_what, packet, rcode) => {
  test('gets its code, over UDP and TCP', () => {
    expect(answer(packet).rcode).toBe(rcode);
    expect(answer(packet, false).rcode).toBe(rcode);
  });
});

test('a packet that is not a query gets no answer', () => {
  for (const packet of [Buffer.alloc(0), question(shop).subarray(0, 11), question(shop, { flags: 0x8000 })])
    expect(ask(packet)).toBeUndefined();
});

describe('names', () => {
  const outcomeOf = (name: string, type = types.A) => {
    const { rcode, answers, counts } = answer(question(name, { type }));
    return rcode === 0 ? (answers.length > 0 ? answers : `NODATA ${counts[2]}`) : rcode;
  };

  test('an empty non-terminal has no data, and a missing name is NXNAME', () => {
    expect(outcomeOf(`b.deep.${zone}`)).toBe('NODATA 1');
    expect(outcomeOf(`deep.${zone}`)).toBe('NODATA 1');
    expect(outcomeOf(`x.deep.${zone}`)).toBe(rcodes.NXDOMAIN);
    expect(outcomeOf(`none.${zone}`)).toBe(rcodes.NXDOMAIN);
  });

  test('a wildcard answers for missing names below the closest existing one (RFC 4592)', () => {
    expect(outcomeOf(`x.wild.${zone}`)).toEqual(['1 c0000209']);
    expect(outcomeOf(`y.x.wild.${zone}`)).toEqual(['1 c0000209']);
    expect(outcomeOf(`x.wild.${zone}`, types.AAAA)).toBe('NODATA 1');
    expect(outcomeOf(`*.wild.${zone}`)).toEqual(['1 c0000209']);
    expect(outcomeOf(`wild.${zone}`)).toBe('NODATA 1');
    expect(outcomeOf(`here.wild.${zone}`)).toBe('NODATA 1');
    expect(outcomeOf(`x.here.wild.${zone}`)).toBe(rcodes.NXDOMAIN);
    expect(outcomeOf(`below.here.wild.${zone}`)).toEqual(['1 c0000201']);
  });

  test('a CNAME stands for all types', () => {
    const target = `5 ${wireName('target.example.net').toString('hex')}`;
    for (const type of [types.A, types.TXT, types.CNAME, 255])
      expect(outcomeOf(`alias.${zone}`, type)).toEqual([target]);
  });

  test('any type gets one set (RFC 8482)', () => {
    expect(outcomeOf(shop, 255)).toEqual(['1 c0000201', '1 c0000202']);
    expect(outcomeOf(zone, 255)).toHaveLength(2);
  });

  test('the zone has its SOA and its name servers without their addresses, and nothing else', () => {
    expect(answer(question(zone, { type: types.SOA }))).toMatchObject({ counts: [1, 1, 0, 0], ttl: 3_600 });
    expect(answer(question(zone, { type: types.NS }))).toMatchObject({ counts: [1, 2, 0, 0], ttl: 3_600 });
    expect(outcomeOf(`ns1.${zone}`)).toEqual(['1 c0000235']);
    expect(outcomeOf(zone)).toBe('NODATA 1');
    expect(outcomeOf(zone, types.DS)).toBe('NODATA 1');
  });

  test('the TTL of a denial comes from the zone', () => {
    const bytes = ask(question(`none.${zone}`)) as Buffer;
    const soaTtlAt = question(`none.${zone}`).length + 2 + 4;
    expect(bytes.readUInt32BE(soaTtlAt)).toBe(5);
    expect(answer(question(`down.${zone}`))).toMatchObject({ rcode: 0, counts: [1, 0, 1, 0], flags: { aa: true } });
  });
});

describe('EDNS', () => {
  const optionsOf = (options: Buffer, name = shop) => Object.fromEntries(answer(question(name, { options })).options);

  test('there is an OPT record if the question has one', () => {
    expect(answer(question(shop, edns)).counts).toEqual([1, 2, 0, 1]);
    expect(answer(question(shop, { edns: { flags: 0x8000 } })).ednsFlags).toBe(0x8000);
    expect(answer(question('example.org', edns)).counts).toEqual([1, 0, 0, 1]);
  });

  test('the server gives its name to clients that ask (RFC 5001), and ignores unknown options', () => {
    expect(optionsOf(Buffer.concat([option(65_001, Buffer.alloc(4)), option(3, Buffer.alloc(0))]))).toEqual({
      3: Buffer.from('ns-a').toString('hex'),
    });
  });

  test('a client gets its part of the cookie back with ours', () => {
    expect(optionsOf(cookie8)[10]).toMatch(/^030303030303030301000000[0-9a-f]{24}$/);
  });

  test('a subnet is returned with the scope of the answer, 0 if it made no difference', () => {
    expect(optionsOf(subnet(1, 24, [192, 0, 2]))).toEqual({ 8: '00011800c00002' });
    expect(optionsOf(subnet(0, 0, []))).toEqual({ 8: '00000000' });
    expect(optionsOf(subnet(1, 24, [192, 0, 2]), `none.${zone}`)).toEqual({ 8: '00011800c00002' });
  });
});

describe('sizes', () => {
  const large = `large.${zone}`;
  const asked = (payload?: number) =>
    question(large, { type: types.AAAA, ...(payload === undefined ? {} : { edns: { payload } }) });

  test('an answer has all records of a set, or none and the truncation flag', () => {
    for (const payload of [undefined, 0, 512, 1_232, 65_535]) {
      const bytes = ask(asked(payload)) as Buffer;
      expect(bytes.length).toBeLessThanOrEqual(payload === undefined || payload < 512 ? 512 : 1_232);
      expect(read(bytes)).toMatchObject({ rcode: 0, flags: { tc: true }, answers: [] });
    }
    const { flags, answers } = answer(asked(), false);
    expect({ ...flags, count: answers.length }).toMatchObject({ tc: false, count: 60 });
  });
});

test('a client counts by its subnet, otherwise as the resolver itself', () => {
  const map = { mapId: 'm', blocks: [{ cidr: '10.1.0.0/16', region: 'eu' }], regions: [] };
  const members = [member('eu', { region: 'eu' }), member('us', { region: 'us', addresses: ['192.0.2.2'] })];
  const steps = [
    { step: 'GEO', by: ['CIDR'] },
    { step: 'FIRST', count: 2 },
  ] as const;
  const { ask } = responderOf(
    zonePlan([namePlan('geo', { members, steps, clientMapId: 'm' })], { clientMaps: [map] }),
    { geo: noGeo },
  );
  const of = (address: string, options?: Buffer) =>
    read(ask(question(`geo.${zone}`, options === undefined ? {} : { options }), { address }));
  expect(of('10.1.2.3').answers).toEqual(['1 c0000201']);
  expect(of('10.2.2.3').answers).toHaveLength(2);
  const outside = of('10.2.2.3', subnet(1, 24, [10, 1, 9]));
  expect(outside.answers).toEqual(['1 c0000201']);
  expect(outside.options.get(8)).toBe('00011810' + '0a0109');
  // RFC 7871 section 7.1.2: the resolver hides its client, so the resolver itself counts as the client, with scope 0.
  const none = of('10.1.2.3', subnet(1, 0, []));
  expect(none.answers).toEqual(['1 c0000201']);
  expect(none.options.get(8)).toBe('00010000');
});

describe('too many answers', () => {
  const limited = (options?: Buffer) => {
    const { ask, clock } = responderOf(plan, { limit: { answersPerSecond: 3 } });
    const packet = question(shop, options === undefined ? {} : { options });
    return { clock, ask: (from = '198.51.100.9') => ask(packet, { address: from }) };
  };
  const kindOf = (bytes: Buffer | undefined) => {
    if (bytes === undefined) return 'nothing';
    const { flags, rcode, answers } = read(bytes);
    return flags.tc ? 'truncated' : rcode === 23 ? 'BADCOOKIE' : `${answers.length}`;
  };

  test('a network gets its limit a second; after that every other answer is truncated', () => {
    const { ask, clock } = limited();
    const kinds = (from?: string) => Array.from({ length: 7 }, () => kindOf(ask(from)));
    expect(kinds()).toEqual(['2', '2', '2', 'nothing', 'truncated', 'nothing', 'truncated']);
    expect(kinds('198.51.101.9').slice(0, 3)).toEqual(['2', '2', '2']);
    clock.steadyMs += 1_000;
    expect(kinds('198.51.100.77').slice(0, 4)).toEqual(['2', '2', '2', 'nothing']);
  });

  test('a clock that is set back costs nobody an answer', () => {
    const { ask, clock } = limited();
    expect(kindOf(ask())).toBe('2');
    clock.nowMs -= 3_600_000;
    expect([ask(), ask()].map(kindOf)).toEqual(['2', '2']);
  });

  test('a client with a valid cookie is not limited, and one without gets a cookie', () => {
    const { ask } = limited(cookie8);
    const answers = Array.from({ length: 5 }, () => ask());
    expect(answers.map(kindOf)).toEqual(['2', '2', '2', 'nothing', 'BADCOOKIE']);
    const given = read(answers[4]).options.get(10) ?? '';
    const { ask: askAgain } = limited(option(10, Buffer.from(given, 'hex')));
    expect(Array.from({ length: 9 }, () => kindOf(askAgain()))).toEqual(Array(9).fill('2'));
  });
});

test('class CH returns the age of the answers', () => {
  const text = answer(question('age.tidegate', { type: types.TXT, class: 3 })).answers[0] ?? '';
  expect(Buffer.from(text.slice(5), 'hex').toString()).toBe('age 1 s');
});

test('rubbish never throws', () => {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  const seeds = [question(shop), question(shop, { options: subnet(1, 24, [192, 0, 2]) }), question(zone, edns)];
  for (let count = 0; count < 20_000; count += 1) {
    const packet = Buffer.from(seeds[count % seeds.length] as Buffer);
    for (let each = 0; each <= next() % 4; each += 1) packet[next() % packet.length] = next() & 0xff;
    const bytes = ask(packet.subarray(0, next() % 5 === 0 ? next() % packet.length : packet.length));
    if (bytes !== undefined) expect(() => read(bytes)).not.toThrow();
  }
});

test('ANY is answered with one record set of the name, as long as it has one', () => {
  const any = (name: string) => answer(question(name, { type: 255 }));
  expect(any(`half.${zone}`)).toMatchObject({ rcode: 0, answers: ['28 20010db8000000000000000000000002'] });
  expect(any(`alias.${zone}`).answers).toHaveLength(1);
  expect(any(zone).answers.length).toBeGreaterThan(0);
  expect(any(`down.${zone}`)).toMatchObject({ rcode: 0, answers: [] });
});

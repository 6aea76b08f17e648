// DNS on the wire: decoding reverses encoding, known bytes are right, and arbitrary bytes do no harm.
import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  classes,
  decodeAddress,
  decodeMessage,
  decodeText,
  encodeAddress,
  encodeQuery,
  encodeRecord,
  encodeText,
  encodeUpdate,
  types,
} from '../../dns/wire/message.ts';
import { decodeName, encodeName, WireError } from '../../dns/wire/name.ts';
import { sign, type TsigKey, verify } from '../../dns/wire/tsig.ts';

const key: TsigKey = {
  name: 'tidegate',
  algorithm: 'hmac-sha256',
  secret: Buffer.from('0123456789abcdef0123456789abcdef'),
};
const name = 'web.default.lb.example.test';
const update = {
  zone: 'lb.example.test',
  prerequisites: [{ name, type: types.ANY, class: classes.NONE, ttl: 0, data: Buffer.alloc(0) }],
  changes: [{ name, type: types.A, class: classes.IN, ttl: 5, data: encodeAddress('192.0.2.1') }],
};

describe('names', () => {
  test.each([
    ['a pointer forwards', Buffer.from([0xc0, 2, 0])],
    ['a pointer to itself', Buffer.from([0xc0, 0])],
    ['two pointers at each other', Buffer.from([0xc0, 2, 0xc0, 0])],
    ['half a pointer', Buffer.from([0xc0])],
    ['no end', Buffer.from([1, 97])],
    ['a label that is cut off', Buffer.from([5, 97])],
    ['a label of an unknown form', Buffer.from([0x80, 0])],
    [
      'more than 255 bytes',
      Buffer.concat([...Array(5).fill(Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 97)])), Buffer.alloc(1)]),
    ],
  ])('with %s are refused', (_what, bytes) => {
    expect(() => decodeName(bytes, 0)).toThrow(WireError);
  });

  test('a dot inside a label does not separate labels', () => {
    expect(decodeName(Buffer.from([3, 97, 46, 98, 0]), 0).name).toBe('a\\046b');
  });

  test('are read back, through pointers and in lower case', () => {
    const bytes = Buffer.concat([encodeName('Example.TEST'), Buffer.from([3, 119, 119, 119, 0xc0, 0])]);
    expect(decodeName(bytes, 14)).toEqual({ name: 'www.example.test', next: bytes.length });
  });
});

test.each([
  ['A', '192.0.2.1'],
  ['AAAA', '2001:db8::1'],
  ['AAAA', '::'],
] as const)('an address of type %s is read back: %s', (type, text) => {
  const record = { name, type: types[type], class: classes.IN, ttl: 5, data: encodeAddress(text) };
  expect(decodeAddress(record)).toBe(text);
  expect(() => decodeAddress({ ...record, data: record.data.subarray(1) })).toThrow(WireError);
});

test('a text in several strings is joined, and a truncated one is refused', () => {
  const data = Buffer.concat([encodeText('one '), encodeText('two')]);
  const record = { name, type: types.TXT, class: classes.IN, ttl: 0, data };
  expect(decodeText(record)).toBe('one two');
  expect(() => decodeText({ ...record, data: data.subarray(0, -1) })).toThrow(WireError);
});

test('an update has the bytes that RFC 2136 describes', () => {
  const zone = encodeName('lb.example.test').toString('hex');
  const own = encodeName(name).toString('hex');
  expect(encodeUpdate(0x1234, update).toString('hex')).toBe(
    [
      '123428000001000100010000',
      `${zone}00060001`,
      `${own}00ff00fe000000000000`,
      `${own}00010001000000050004c0000201`,
    ].join(''),
  );
});

describe('signatures', () => {
  /** An answer as a server signs it, with a signature that also covers the request's signature. */
  function answer(requestMac: Buffer, change: { readonly id?: number } = {}): Buffer {
    const plain = Buffer.from(encodeQuery(change.id ?? 7, { name, type: types.A }));
    plain.writeUInt16BE(0x8400, 2);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(requestMac.length);
    // `sign` covers a request. For an answer, the bytes before the message are covered too.
    const { mac } = sign(Buffer.concat([length, requestMac, plain]), key, 1_000_000);
    const { bytes } = sign(plain, key, 1_000_000);
    const at = bytes.indexOf(sign(plain, key, 1_000_000).mac);
    return Buffer.concat([bytes.subarray(0, at), mac, bytes.subarray(at + mac.length)]);
  }

  const check = (bytes: Buffer, with_: TsigKey, requestMac: Buffer) => {
    const { tsig } = decodeMessage(bytes);
    if (tsig === undefined) throw new Error('not signed');
    return verify(bytes, tsig, with_, requestMac).isValid;
  };

  test('of an answer to another request, with another secret, name or byte are not valid', () => {
    const { mac } = sign(encodeQuery(7, { name, type: types.A }), key, 1_000_000);
    const bytes = answer(mac);
    expect(check(bytes, key, mac)).toBe(true);
    expect(check(bytes, key, randomBytes(32))).toBe(false);
    expect(check(bytes, { ...key, secret: randomBytes(32) }, mac)).toBe(false);
    expect(check(bytes, { ...key, name: 'other' }, mac)).toBe(false);
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[14] ?? 0) ^ 1, 14);
    expect(check(changed, key, mac)).toBe(false);
  });
});

test('random and damaged bytes are either read or refused as invalid', () => {
  const signed = sign(encodeUpdate(1, update), key, 1_000_000).bytes;
  const record = encodeRecord({ name, type: types.TXT, class: classes.IN, ttl: 0, data: encodeText('x') });
  const unexpected: string[] = [];
  const read = (bytes: Buffer) => {
    try {
      const message = decodeMessage(bytes);
      for (const each of message.answers) {
        if (each.type === types.TXT) decodeText(each);
        else if (each.type === types.A || each.type === types.AAAA) decodeAddress(each);
      }
      if (message.tsig !== undefined) verify(bytes, message.tsig, key, randomBytes(32));
    } catch (error) {
      if (!(error instanceof WireError)) unexpected.push(`${bytes.toString('hex')}: ${error}`);
    }
  };
  for (let round = 0; round < 20_000; round += 1) {
    read(randomBytes(randomInt(600)));
    const damaged = Buffer.concat([signed, record]).subarray(0, randomInt(signed.length + record.length + 1));
    for (let times = randomInt(4); times > 0 && damaged.length > 0; times -= 1)
      damaged[randomInt(damaged.length)] = randomInt(256);
    read(Buffer.from(damaged));
  }
  expect(unexpected).toEqual([]);
});

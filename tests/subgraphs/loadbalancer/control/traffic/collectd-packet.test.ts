// Handmade collectd packets: protection levels and garbage.
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  readPacket,
  type SecurityLevel,
} from '../../../../../subgraphs/loadbalancer/control/scaling/collectd/packet.ts';
import { parsePasswords } from '../../../../../subgraphs/loadbalancer/control/scaling/collectd/passwords.ts';
import { seededRandom } from '../../../../../trials/random.ts';

function part(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type);
  head.writeUInt16BE(body.length + 4, 2);
  return Buffer.concat([head, body]);
}

const text = (type: number, value: string) => part(type, Buffer.from(`${value}\0`));
function integer(type: number, value: bigint): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(value);
  return part(type, body);
}
function gauge(value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value);
  return part(6, Buffer.concat([Buffer.from([0, 1, 1]), body]));
}

const content = Buffer.concat([
  ...[text(0, 'n1'), integer(1, 1_700_000_000n), integer(9, 5n << 30n), text(2, 'cpu'), text(4, 'percent')],
  ...[text(5, 'active'), gauge(42.5)],
]);
const reading = {
  ...{ host: 'n1', name: 'cpu/percent-active', atMs: 1_700_000_000_000, intervalMs: 5_000 },
  values: [{ type: 'GAUGE', value: 42.5 }],
};

function signed(user: string, password: string, rest: Buffer = content): Buffer {
  const hmac = createHmac('sha256', password).update(user).update(rest).digest();
  return Buffer.concat([part(0x02_00, Buffer.concat([hmac, Buffer.from(user)])), rest]);
}

function encrypted(user: string, password: string, rest: Buffer = content): Buffer {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ofb', createHash('sha256').update(password).digest(), iv);
  const sealed = cipher.update(Buffer.concat([createHash('sha1').update(rest).digest(), rest]));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(user.length);
  return part(0x02_10, Buffer.concat([length, Buffer.from(user), iv, sealed]));
}

function read(packet: Buffer, level: SecurityLevel = 'none') {
  return readPacket(packet, { level, passwordOf: (user) => (user === 'alice' ? 'secret' : undefined) });
}

describe('protection', () => {
  const plain = content;
  const cases: readonly [string, Buffer, SecurityLevel, RegExp | undefined][] = [
    ['plain', plain, 'none', undefined],
    ['plain', plain, 'sign', /not signed/],
    ['plain', plain, 'encrypt', /not encrypted/],
    ['signed', signed('alice', 'secret'), 'none', undefined],
    ['signed', signed('alice', 'secret'), 'sign', undefined],
    ['signed', signed('alice', 'secret'), 'encrypt', /not encrypted/],
    ['signed with another password', signed('alice', 'guess'), 'sign', /signature is wrong/],
    ['signed with another password', signed('alice', 'guess'), 'none', /signature is wrong/],
    ['signed by an unknown user', signed('mallory', 'secret'), 'sign', /unknown user/],
    ['signed by an unknown user', signed('mallory', 'secret'), 'none', undefined],
    ['encrypted', encrypted('alice', 'secret'), 'encrypt', undefined],
    ['encrypted', encrypted('alice', 'secret'), 'none', undefined],
    ['encrypted with another password', encrypted('alice', 'guess'), 'encrypt', /checksum is wrong/],
    ['encrypted by an unknown user', encrypted('mallory', 'secret'), 'none', /unknown user/],
    ['encrypted twice', encrypted('alice', 'secret', encrypted('alice', 'secret')), 'encrypt', /encrypted twice/],
    ['values before the signature', Buffer.concat([plain, signed('alice', 'secret')]), 'sign', /not signed/],
    [
      'values after the encrypted part',
      Buffer.concat([encrypted('alice', 'secret'), plain]),
      'encrypt',
      /not encrypted/,
    ],
    [
      'changed after it was signed',
      Buffer.concat([signed('alice', 'secret'), gauge(99)]),
      'sign',
      /signature is wrong/,
    ],
  ];
  test.each(cases)('%s (%#)', (_name, packet, level, refused) => {
    const found = read(packet, level);
    if (refused === undefined) expect(found).toEqual({ readings: [reading] });
    else expect(found.refused).toMatch(refused);
  });

  test('values before a malformed part are kept, and values with too little protection are never accepted', () => {
    const packet = Buffer.concat([encrypted('alice', 'secret'), plain]);
    expect(read(packet, 'encrypt').readings).toEqual([reading]);
  });
});

test('counters, derivatives and several values are read', () => {
  const body = Buffer.alloc(16);
  body.writeBigInt64BE(-5n);
  body.writeBigUInt64BE(7n, 8);
  const packet = Buffer.concat([text(0, 'n1'), text(2, 'if'), text(3, 'eth0'), text(4, 'octets')]);
  const values = part(6, Buffer.concat([Buffer.from([0, 2, 2, 0]), body]));
  expect(read(Buffer.concat([packet, values])).readings).toMatchObject([
    {
      name: 'if-eth0/octets',
      values: [
        { type: 'DERIVE', value: -5 },
        { type: 'COUNTER', value: 7 },
      ],
    },
  ]);
});

describe('rubbish', () => {
  const cases: readonly [string, Buffer][] = [
    ['a part without a length', Buffer.from([0, 0, 0, 0, 0, 0])],
    ['a part longer than the packet', Buffer.from([0, 0, 1, 0])],
    ['half a head', Buffer.from([0, 0, 0])],
    ['a text without its zero', part(0, Buffer.from('host'))],
    ['a text with a line break', text(0, 'a\nb')],
    ['a long text', text(0, 'x'.repeat(200))],
    ['a short number', part(1, Buffer.alloc(4))],
    ['values of another number than the count', part(6, Buffer.from([0, 9, 1]))],
    ['an unknown type of value', part(6, Buffer.concat([Buffer.from([0, 1, 9]), Buffer.alloc(8)]))],
    ['a short signature', part(0x02_00, Buffer.alloc(10))],
    ['a short encrypted part', part(0x02_10, Buffer.alloc(10))],
    ['an encrypted part with a long user', part(0x02_10, Buffer.concat([Buffer.from([255, 255]), Buffer.alloc(60)]))],
    ['too many bytes', Buffer.alloc(20_000)],
  ];
  test.each(cases)('%s', (_name, packet) => {
    expect(read(packet)).toEqual({ readings: [], refused: expect.any(String) });
  });

  test('random bytes and changed packets never throw, and never count as protected', () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const random = seededRandom(seed);
    const bases = [content, signed('alice', 'secret'), encrypted('alice', 'secret')];
    const taken: string[] = [];
    for (let run = 0; run < 20_000; run += 1) {
      const base = random.pick(bases);
      const packet =
        random.next() < 0.3
          ? Buffer.from(Array.from({ length: random.integer(0, 80) }, () => random.integer(0, 255)))
          : Buffer.from(base);
      for (let change = random.integer(1, 4); change > 0 && packet.length > 0; change -= 1)
        packet[random.integer(0, packet.length - 1)] = random.integer(0, 255);
      const found = read(packet, 'sign');
      if (bases.some((each) => each.equals(packet))) continue;
      if (found.readings.length > 0) taken.push(`seed ${seed}, run ${run}: ${packet.toString('hex')}`);
    }
    expect(taken).toEqual([]);
  });
});

test('the user file is parsed', () => {
  expect([...parsePasswords('# users\nalice: secret \nbob:x: y\n\n', 'f')]).toEqual([
    ['alice', 'secret'],
    ['bob', 'x: y'],
  ]);
  for (const wrong of ['alice', ': secret', 'alice:', 'al ice: x'])
    expect(() => parsePasswords(`ok: 1\n${wrong}\n`, '/etc/users')).toThrow(
      'line 2 of /etc/users is not "user: password"',
    );
});

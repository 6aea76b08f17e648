// The longest block, compared with a plain search, and the number of bits on which it depends.
import { expect, test } from '@jest/globals';
import { clientAddress, masked } from '../../../dns/policy/client.ts';
import { PrefixTree } from '../../../dns/policy/prefix-tree.ts';
import { seededRandom } from '../../../trials/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

test(`the longest block is found, and all addresses that share the reported bits find the same (seed ${seed})`, () => {
  const random = seededRandom(seed);
  // Few bits, so that blocks are nested.
  const address = () =>
    Uint8Array.from([random.integer(0, 7) << 4, random.pick([0, 128, 255]), 0, random.integer(0, 3)]);
  for (let round = 0; round < 300; round += 1) {
    const tree = new PrefixTree<number>();
    const blocks = Array.from({ length: random.integer(0, 40) }, (_, value) => {
      const prefix = random.pick([0, 3, 4, 8, 9, 12, 16, 24, 31, 32]);
      return { bytes: masked(address(), prefix), prefix, value };
    });
    for (const { bytes, prefix, value } of blocks) tree.add(bytes, prefix, value);
    const plain = (bytes: Uint8Array, limit: number) =>
      blocks
        .filter(({ prefix, bytes: block }) => prefix <= limit && masked(bytes, prefix).join() === block.join())
        .toSorted((one, other) => other.prefix - one.prefix || other.value - one.value)[0]?.value;
    for (let turn = 0; turn < 30; turn += 1) {
      const [bytes, limit] = [address(), random.integer(0, 32)];
      const { value, bits } = tree.find(bytes, limit);
      expect(value).toBe(plain(bytes, limit));
      expect(bits).toBeLessThanOrEqual(limit);
      const prefix = masked(bytes, bits);
      const other = address().map(
        (byte, at) => (prefix[at] ?? 0) | (byte & ~(masked(Uint8Array.of(255, 255, 255, 255), bits)[at] ?? 0)),
      );
      expect(tree.find(other, limit).value).toBe(value);
    }
  }
});

test('an address consists of its known bits, and a mapped one counts as IPv4', () => {
  expect(clientAddress('192.0.2.129', 25)).toEqual({ bytes: Uint8Array.of(192, 0, 2, 128), bits: 25 });
  expect(clientAddress('::ffff:192.0.2.129')).toEqual({ bytes: Uint8Array.of(192, 0, 2, 129), bits: 32 });
  expect(clientAddress('::ffff:192.0.2.129', 120)).toEqual({ bytes: Uint8Array.of(192, 0, 2, 0), bits: 24 });
  expect(clientAddress('2001:db8::1', 32).bytes).toEqual(Uint8Array.of(0x20, 1, 0x0d, 0xb8, ...Array(12).fill(0)));
  expect(() => clientAddress('127.1')).toThrow('not an address');
});

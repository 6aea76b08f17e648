// Addresses, blocks and ranges, in every valid notation and many invalid ones.
import { describe, expect, test } from '@jest/globals';
import {
  canonicalAddressBlock,
  hostCountIn,
  hostsIn,
  isBelow,
  isInBlock,
  isInRange,
  maskOf,
  prefixOf,
} from '../../../platform/net/address-block.ts';

describe('canonicalAddressBlock', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.0/120', '::ffff:192.0.2.0/120'],
    ['fe80::/10', 'fe80::/10'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddressBlock(text)).toBe(canonical);
  });

  test.each([
    '',
    'x',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0',
    '010.0.0.1',
    '10.0.0.0/',
    '2001:db8::1/32',
    '2001:db8::/129',
    'fe80::1%eth0',
    '10.0.0.0/8 ',
    '10.0.0.0/8\n',
    '::ffff:192.0.2.1/120',
    '1:2:3:4:5:6:7:8:9',
    '10.0.0.0/-1',
    '127.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
  ])('%j is not an address block', (text) => {
    expect(canonicalAddressBlock(text)).toBeUndefined();
  });
});

describe('isInBlock and isInRange', () => {
  test.each([
    ['192.0.2.7', '192.0.2.0/24', true],
    ['192.0.3.7', '192.0.2.0/24', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '0.0.0.0/0', true],
    ['192.0.2.7', '::/0', false],
    ['2001:db8::ff', '2001:db8::/120', true],
    ['2001:db8::1:0', '2001:db8::/120', false],
    ['127.1', '127.0.0.0/8', false],
    ['192.0.2.7', 'none', false],
  ])('%s in %s: %s', (address, block, expected) => {
    expect(isInBlock(address, block)).toBe(expected);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.9', true],
    ['192.0.2.9', '192.0.2.7', '192.0.2.9', true],
    ['192.0.2.10', '192.0.2.7', '192.0.2.9', false],
    ['9.0.0.0', '10.0.0.0', '100.0.0.0', false],
    ['2001:db8::8', '2001:db8::7', '2001:db8::9', true],
    ['192.0.2.8', '2001:db8::7', '2001:db8::9', false],
    ['192.0.2.8', '80', '90', false],
  ])('%s from %s to %s: %s', (address, first, last, expected) => {
    expect(isInRange(address, first, last)).toBe(expected);
  });
});

test('isBelow compares numbers, not texts', () => {
  expect(isBelow('9.0.0.0', '10.0.0.0')).toBe(true);
  expect(isBelow('10.0.0.0', '10.0.0.0')).toBe(false);
  expect(isBelow('10.0.0.1', '10.0.0.0')).toBe(false);
});

test('masks and prefix lengths', () => {
  for (let prefix = 0; prefix <= 32; prefix += 1) expect(prefixOf(maskOf(prefix))).toBe(prefix);
  expect([maskOf(0), maskOf(20), maskOf(32)]).toEqual(['0.0.0.0', '255.255.240.0', '255.255.255.255']);
  for (const none of ['255.0.255.0', '0.0.0.255', '255.255.255', '', 'ffff::']) expect(prefixOf(none)).toBeUndefined();
});

test.each([
  '192.0.2.0/24',
  '192.0.2.0/29',
  '192.0.2.0/30',
  '192.0.2.0/31',
  '192.0.2.1',
  '2001:db8::/112',
  '10.0.0.0/8',
  'none',
])('hosts of %s are counted as given', (block) => {
  expect(hostCountIn(block)).toBe([...hostsIn(block)].length);
});

// Checksums against their published check values: those of "123456789" (RFC 3720, NVM Express; FIPS 180 for the hashes of "abc").
import { expect, test } from '@jest/globals';
import { checksumDigest, isChecksumOf } from '../../../../../subgraphs/object-storage/engine/s3/checksums.ts';

const digits = Buffer.from('123456789');

test.each([
  ['x-amz-checksum-crc32', digits, 'cbf43926'],
  ['x-amz-checksum-crc32c', digits, 'e3069283'],
  ['x-amz-checksum-crc64nvme', digits, 'ae8b14860a799888'],
  ['x-amz-checksum-sha1', Buffer.from('abc'), 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['x-amz-checksum-sha256', Buffer.from('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('%s', (header, bytes, hex) => {
  const expected = Buffer.from(hex, 'hex').toString('base64');
  for (const cut of [0, 1, 2, bytes.length]) {
    const digest = checksumDigest(header);
    digest.update(bytes.subarray(0, cut));
    digest.update(bytes.subarray(cut));
    expect(digest.base64()).toBe(expected);
  }
  expect(isChecksumOf(header, expected)).toBe(true);
  for (const wrong of ['', 'AAAA', `${expected} `, expected.replace(/=*$/, '')]) {
    if (wrong !== expected) expect(isChecksumOf(header, wrong)).toBe(false);
  }
});

test('CRC-64/NVME is the same in pieces of any length', () => {
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * 7) & 0xff));
  const whole = checksumDigest('x-amz-checksum-crc64nvme');
  whole.update(bytes);
  const expected = whole.base64();
  for (const pieceBytes of [1, 3, 8, 13, 999]) {
    const digest = checksumDigest('x-amz-checksum-crc64nvme');
    for (let at = 0; at < bytes.length; at += pieceBytes) digest.update(bytes.subarray(at, at + pieceBytes));
    expect(digest.base64()).toBe(expected);
  }
});

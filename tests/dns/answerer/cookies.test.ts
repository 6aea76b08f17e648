// Server cookies match those that other servers create from the same secret.
import { expect, test } from '@jest/globals';
import { ServerCookies } from '../../../dns/answerer/query/server-cookies.ts';
import { sipHash24 } from '../../../dns/answerer/query/siphash.ts';

const secret = Buffer.from('e5e973e5a6b2a43f48e7dc849e37bfcf', 'hex');
const client = Buffer.from('2464c4abcf10c957', 'hex');
const address = Buffer.from([198, 51, 100, 100]);
const given = '2464c4abcf10c957010000005cf79f111f8130c3eee29480';
const givenAt = 0x5cf79f11;

test('the hash matches the paper for a message of 15 bytes', () => {
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, (_, index) => index));
  expect(sipHash24(bytes(16), bytes(15)).readBigUInt64LE().toString(16)).toBe('a129ca6149be45e5');
});

test('a cookie matches RFC 9018, appendix A.1', () => {
  const cookies = new ServerCookies(secret);
  expect(cookies.answerTo(client, false, address, givenAt).toString('hex')).toBe(given);
});

test('a cookie is valid for an hour at its address, and a fresh one is kept', () => {
  const cookies = new ServerCookies(secret);
  const cookie = Buffer.from(given, 'hex');
  const valid = (seconds: number, at = address) => cookies.isValid(cookie, at, givenAt + seconds);
  expect([valid(0), valid(3_600), valid(3_601), valid(-300), valid(-301)]).toEqual([true, true, false, true, false]);
  expect(valid(0, Buffer.from([198, 51, 100, 101]))).toBe(false);
  expect(cookies.answerTo(cookie, true, address, givenAt + 1_800)).toEqual(cookie);
  expect(cookies.answerTo(cookie, true, address, givenAt + 1_801)).not.toEqual(cookie);
  for (const other of [client, Buffer.concat([cookie, Buffer.alloc(1)]), Buffer.alloc(24)])
    expect(cookies.isValid(other, address, givenAt)).toBe(false);
});

test('a new secret leaves cookies of the previous secret valid, but no older ones', () => {
  const cookies = new ServerCookies(secret);
  const cookie = Buffer.from(given, 'hex');
  cookies.rotate();
  expect(cookies.isValid(cookie, address, givenAt)).toBe(true);
  expect(cookies.answerTo(client, false, address, givenAt)).not.toEqual(cookie);
  cookies.rotate();
  expect(cookies.isValid(cookie, address, givenAt)).toBe(false);
});

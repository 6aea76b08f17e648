import { describe, expect, test } from '@jest/globals';
import { buildSchema, parseValue as parseLiteral } from 'graphql';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import { GraphqlDocumentCache } from '../../../platform/graph/graphql-document-cache.ts';
import {
  asNumberScalar,
  bigIntScalar,
  cidrBlockScalar,
  dateTimeScalar,
  ipAddressScalar,
  ipOrCidrScalar,
  jsonScalar,
  portScalar,
} from '../../../platform/graph/scalars.ts';
import { defaultPageSize, pageItems, pageRequest } from '../../../platform/pages/connection.ts';
import { loader } from '../../../platform/pages/loader.ts';

test('DateTime accepts RFC 3339 and returns UTC with milliseconds', () => {
  expect(dateTimeScalar.serialize(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  expect(dateTimeScalar.parseValue('2026-01-31T13:00:00+01:00')).toEqual(new Date('2026-01-31T12:00:00Z'));
  for (const bad of ['2026-01-31', 'yesterday', '2026-13-01T00:00:00Z', 5, null])
    expect(() => dateTimeScalar.parseValue(bad)).toThrow('RFC 3339');
});

test.each([
  ...['2027-02-29T00:00:00Z', '2026-02-30T00:00:00Z', '2026-04-31T00:00:00Z', '2026-01-00T00:00:00Z'],
  ...['9999-12-31T23:59:59-12:00', '0000-01-01T00:00:00Z', '0999-12-31T23:59:59Z', '2026-01-01T25:00:00Z'],
])('DateTime refuses %s, which the calendar or the database does not have', (bad) => {
  expect(() => dateTimeScalar.parseValue(bad)).toThrow('RFC 3339');
});

test.each(['2028-02-29T23:59:59Z', '9999-12-31T23:59:59Z', '1000-01-01T00:00:00Z'])('DateTime accepts %s', (text) => {
  expect(dateTimeScalar.serialize(dateTimeScalar.parseValue(text))).toBe(text.replace('Z', '.000Z'));
});

test('Port is a whole number from 1 to 65535', () => {
  expect(portScalar.parseValue(65535)).toBe(65535);
  for (const bad of [0, 65536, 1.5, '80', null]) expect(() => portScalar.parseValue(bad)).toThrow('1 to 65535');
});

test('AsNumber is a whole number of 32 bits, also in a literal', () => {
  for (const good of [1, 65_536, 4_294_967_295]) {
    expect(asNumberScalar.parseValue(good)).toBe(good);
    expect(asNumberScalar.parseLiteral(parseLiteral(String(good)))).toBe(good);
    expect(asNumberScalar.serialize(good)).toBe(good);
  }
  for (const bad of [0, -1, 4_294_967_296, 1.5, '65001', '1.10', null])
    expect(() => asNumberScalar.parseValue(bad)).toThrow('1 to 4294967295');
});

test('BigInt is a whole number of 64 bits, and a text in answers', () => {
  for (const good of [0, -5, 2 ** 53 - 1, '9223372036854775807', '-9223372036854775808'])
    expect(bigIntScalar.serialize(bigIntScalar.parseValue(good))).toBe(String(good));
  expect(bigIntScalar.parseLiteral(parseLiteral('9223372036854775807'))).toBe(2n ** 63n - 1n);
  expect(bigIntScalar.parseLiteral(parseLiteral('"12"'))).toBe(12n);
  for (const bad of ['9223372036854775808', '-9223372036854775809', 2 ** 53, 1.5, '1.5', '', ' 1', '0x1', true, null])
    expect(() => bigIntScalar.parseValue(bad)).toThrow('is not a whole number of 64 bits');
});

test('addresses and blocks are distinguished and made canonical', () => {
  expect(ipAddressScalar.parseValue('2001:DB8:0::7')).toBe('2001:db8::7');
  expect(cidrBlockScalar.parseValue('2001:DB8:0::/32')).toBe('2001:db8::/32');
  expect(cidrBlockScalar.parseValue('10.0.0.1/32')).toBe('10.0.0.1/32');
  expect(ipOrCidrScalar.parseValue('10.0.0.1/32')).toBe('10.0.0.1');
  expect(ipOrCidrScalar.parseValue('10.0.0.0/8')).toBe('10.0.0.0/8');
  for (const bad of ['10.0.0.1/32', '10.0.0.0/8', '10.0.0', 'fe80::1%eth0', '', 5, null])
    expect(() => ipAddressScalar.parseValue(bad)).toThrow('is not an IPv4 or IPv6 address;');
  for (const bad of ['10.0.0.1', '10.0.0.1/8', '10.0.0.0/33', '::1', '', 5, null])
    expect(() => cidrBlockScalar.parseValue(bad)).toThrow('is not a CIDR block;');
});

test('JSON accepts literals that contain variables', () => {
  const literal = parseLiteral('{ a: [1, true, null], b: { c: "x" } }');
  expect(jsonScalar.parseLiteral(literal)).toEqual({ a: [1, true, null], b: { c: 'x' } });
});

describe('pages', () => {
  test('a page says whether another follows, and where it begins', () => {
    const request = pageRequest({ first: 2 });
    expect(request).toEqual({ first: 2, take: 3, after: undefined });
    const made = pageItems(['a', 'b', 'c'], request.first, (row) => [row]);
    expect(made.nodes).toEqual(['a', 'b']);
    expect(made.pageInfo.hasNextPage).toBe(true);
    expect(pageRequest({ first: 2, after: made.pageInfo.endCursor }).after).toEqual(['b']);
    expect(pageRequest({ first: null }).first).toBe(defaultPageSize);
    expect(pageItems([], 2, () => ['x']).pageInfo).toEqual({ hasNextPage: false, endCursor: null });
  });

  test.each([
    { first: 0 },
    { first: 101 },
    { first: 1.5 },
    { after: 'nonsense' },
    { after: Buffer.from('["a","b"]').toString('base64url') },
  ])('%j is refused', (args) => {
    expect(() => pageRequest(args)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('loader', () => {
  const context = (): RequestContext => ({ identity: null, requestId: 'r', loaders: new Map() });
  const owner = Symbol('test');

  test('keys requested together are loaded together, each once', async () => {
    const batches: (readonly string[])[] = [];
    const load = async (keys: readonly string[]) => {
      batches.push(keys);
      return new Map(keys.filter((key) => key !== 'none').map((key) => [key, key.toUpperCase()]));
    };
    const one = context();
    const values = await Promise.all(['a', 'b', 'a', 'none'].map((key) => loader(one, owner, key, load)));
    expect(values).toEqual(['A', 'B', 'A', undefined]);
    expect(batches).toEqual([['a', 'b', 'none']]);
    await loader(one, owner, 'a', load);
    expect(batches).toHaveLength(2);
  });

  test('a failing batch fails all its callers, and only them', async () => {
    const one = context();
    const failing = async (): Promise<Map<string, string>> => {
      throw new Error('away');
    };
    const asked = await Promise.allSettled(['a', 'b'].map((key) => loader(one, owner, key, failing)));
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await loader(one, owner, 'a', async () => new Map([['a', 1]]))).toBe(1);
  });
});

test('the cache of documents has a limit in bytes, and drops the least recently used ones', () => {
  const schema = buildSchema('type Query { a: Int }');
  const cache = new GraphqlDocumentCache(schema, 20_000);
  const text = (number: number) => `query Q${number} { ${'a '.repeat(10)} }`;
  const [first, kept] = [cache.get(text(0)), cache.get(text(1))];
  for (let number = 2; number < 100; number += 1) {
    cache.get(text(number));
    expect(cache.get(text(1))).toBe(kept);
    expect(cache.bytes).toBeLessThanOrEqual(20_000);
  }
  expect(cache.get(text(0))).not.toBe(first);
});

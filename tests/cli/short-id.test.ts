// Short ids: the same id in fewer characters, for every kind of object that the graph finds by id.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { buildSchema, isObjectType, parse, validate } from 'graphql';
import { idPrefixes, shortId, wholeId } from '../../cli/short-id.ts';
import { whyDocument, whyFields } from '../../cli/why/fields.ts';
import { encodeId, newToken, newUuid } from '../../platform/values/ids.ts';

const schemaOf = async () => buildSchema(await readFile(join(import.meta.dirname, '../../schema/api.graphql'), 'utf8'));

test('every type with an id in the graph has its own prefix, and a "why"', async () => {
  const types = Object.values((await schemaOf()).getTypeMap()).filter(
    (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'),
  );
  const names = types.map(({ name }) => name).sort();
  // It has an id, and no state.
  const shortened = [...names, 'ConfigurationVersion'].sort();
  expect(names.length).toBeGreaterThan(30);
  expect(Object.keys(idPrefixes).sort()).toEqual(shortened);
  expect(Object.keys(whyFields).sort()).toEqual(names);
  expect(new Set(Object.values(idPrefixes)).size).toBe(shortened.length);
});

test('the fields that "why" reads exist in the graph', async () => {
  const schema = await schemaOf();
  for (const type of Object.keys(whyFields))
    expect([type, validate(schema, parse(whyDocument(type)))]).toEqual([type, []]);
});

test('a short id is read back as the original id', () => {
  for (const type of Object.keys(idPrefixes))
    for (const uuid of [
      newUuid(),
      newToken(),
      '00000000-0000-7000-8000-000000000000',
      'ffffffff-ffff-7fff-bfff-ffffffffffff',
    ]) {
      const id = encodeId(type, uuid);
      const short = shortId(id) ?? '';
      expect(short).toMatch(/^[a-z0-9]{2,5}_[1-9A-Za-z]{22}$/);
      expect(short.length).toBeLessThanOrEqual(28);
      expect(wholeId(short)).toBe(id);
      expect(wholeId(id)).toBe(id);
    }
});

test('in BALANCER/POOL both may be short ids', () => {
  const [balancer, pool] = [encodeId('LoadBalancer', newUuid()), encodeId('Pool', newUuid())];
  expect(wholeId(`${shortId(balancer)}/${shortId(pool)}`)).toBe(`${balancer}/${pool}`);
  expect(wholeId(`shop/${shortId(pool)}`)).toBe(`shop/${pool}`);
});

test.each([
  'edge',
  'lab_firewall',
  'op_',
  'op_short',
  // An unknown type; an invalid digit; and a UUID of another version than ids have.
  'xx_1111111111111111111111',
  'op_0lOI111111111111111111',
  'op_1111111111111111111111',
  'op_zzzzzzzzzzzzzzzzzzzzzz',
  'a/b/c_d',
])('%s is not a short id, and stays as it is', (text) => {
  expect(wholeId(text)).toBe(text);
});

test('text that is not an id, or has no UUID, has no short id', () => {
  for (const text of ['', 'edge', encodeId('Backend', 'name'), encodeId('Nothing', newUuid()), 'x'.repeat(60)])
    expect(shortId(text)).toBeUndefined();
});

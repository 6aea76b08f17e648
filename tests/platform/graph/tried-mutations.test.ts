// Which mutations support a trial run.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { mannerIn } from '../../../platform/caller/manner.ts';
import { isTried, refuseUntried } from '../../../platform/graph/tried-mutations.ts';

const api = readFileSync(new URL('../../../schema/api.graphql', import.meta.url), 'utf8');
const schema = buildSchema(api);
const fields = Object.values(schema.getMutationType()?.getFields() ?? {});

test('only mutations of the edge can be tried: none that logs in, reaches a device, joins a machine or moves the primary', () => {
  const tried = fields.filter(isTried).map(({ name }) => name);
  expect(tried).toEqual(
    expect.arrayContaining(['gslbPoolCreate', 'backendUpdate', 'membershipSet', 'poolMemberDelete']),
  );
  for (const name of [
    'login',
    'logout',
    'sessionStart',
    'relayCall',
    'machineJoin',
    'haSwitchover',
    'alertChannelTest',
    'alertTargetTest',
  ])
    expect(tried).not.toContain(name);
  const relayed = fields.filter(({ type }) => String(type).startsWith('RelayPayload'));
  expect(relayed.length).toBeGreaterThan(20);
  expect(relayed.filter(isTried)).toEqual([]);
});

test('all others are refused before their resolver runs', async () => {
  const own = buildSchema(api);
  const login = own.getMutationType()?.getFields().login;
  if (login === undefined) throw new Error('no login');
  let count = 0;
  login.resolve = () => {
    count += 1;
    return {};
  };
  refuseUntried(own);
  const ask = (context: object) => Promise.resolve().then(() => login.resolve?.({}, {}, context, {} as never));
  await expect(ask({ manner: { dryRun: true } })).rejects.toThrow("login can't be tried");
  expect(count).toBe(0);
  await ask({});
  await ask({ manner: { source: 'site' } });
  expect(count).toBe(2);
});

test.each<[Record<string, string>, unknown]>([
  [{}, undefined],
  [{ 'tidegate-dry-run': 'true' }, { dryRun: true }],
  [{ 'tidegate-source': 'site-a.1' }, { source: 'site-a.1' }],
  [
    { 'tidegate-dry-run': 'true', 'tidegate-source': 'a' },
    { dryRun: true, source: 'a' },
  ],
])('the headers %j', (headers, manner) => {
  expect(mannerIn(new Map(Object.entries(headers)))).toEqual(manner);
});

test.each([
  ['tidegate-dry-run', ''],
  ['tidegate-dry-run', 'false'],
  ['tidegate-dry-run', 'TRUE'],
  ['tidegate-source', ''],
  ['tidegate-source', 'Site'],
  ['tidegate-source', 'a b'],
  ['tidegate-source', 'a'.repeat(64)],
])('the header %s: %j is refused', (name, value) => {
  expect(() => mannerIn(new Map([[name, value]]))).toThrow(name);
});

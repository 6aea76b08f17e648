// `tidegate zones`, against a server with the real schema.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
const at = '2026-01-31T12:00:00.000Z';
const key = (keyTag: number, use: string, keyState: string) => ({ keyTag, use, keyState, since: at, namedSince: null });
const zone = (name: string, keys: readonly object[]) => ({
  ...{
    __typename: 'DnsZone',
    id: `Z-${name.replaceAll('.', '-')}`,
    name,
    description: '',
    backend: null,
    backendType: 'ANSWERER',
  },
  ...{ generation: 7, createdAt: at, rights: [{ suffix: name, project: null }], keys },
  ds: keys.length === 0 ? [] : [`${name}. IN DS 12345 13 2 AB`],
});
const zones = [zone('gslb.test', [key(12_345, 'ENTRY', 'ACTIVE')]), zone('plain.test', [])];

beforeAll(async () => {
  server = await GraphServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.stop());
const run = (...args: string[]) =>
  runCommand(['zones', ...args, '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });
const here = {
  dnsZones: ({ names, ...args }: { first: number; after?: string | null; names?: readonly string[] }) =>
    pageOf(
      zones.filter(({ name }) => names === undefined || names.includes(name)),
      { ...args, after: args.after ?? null },
    ),
  node: ({ id }: { id: string }) => zones.find((each) => each.id === id) ?? null,
};

test('list and show tell which zones are signed, and what the parent is to name', async () => {
  server.answers = here;
  const { exitCode, stdout, stderr } = await run('list');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^gslb\.test +- +ANSWERER +7 +SIGNED$/m);
  expect(stdout).toMatch(/^plain\.test +- +ANSWERER +7 *$/m);
  for (const name of ['GSLB.test.', 'Z-gslb-test']) {
    const shown = await run('show', name);
    expect([name, shown.exitCode, shown.stderr]).toEqual([name, 0, '']);
    expect(shown.stdout).toMatch(/^DS for its parent +gslb\.test\. IN DS 12345 13 2 AB$/m);
    expect(shown.stdout).toMatch(/^gslb\.test +every project$/m);
    expect(shown.stdout).toMatch(/^12345 +ENTRY +ACTIVE /m);
  }
  expect(await run('show', 'none.test')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('none.test') });
});

test('roll-key begins, is taken back, and is told what the parent names', async () => {
  const told: object[] = [];
  const take =
    (verb: string) =>
    ({ input: { idempotencyKey: _, ...input } }: { input: Record<string, unknown> }) => {
      told.push({ verb, ...input });
      return { dnsZone: zones[0], userErrors: [], commit: null };
    };
  server.answers = {
    ...here,
    ...{ dnsZoneKeyRollBegin: take('begin'), dnsZoneKeyRollConfirm: take('confirm') },
    dnsZoneKeyRollCancel: take('cancel'),
  };
  const id = 'Z-gslb-test';
  for (const more of [[], ['--cancel'], ['--confirm', '12345']])
    expect(await run('roll-key', 'gslb.test', ...more)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(told).toEqual([
    { verb: 'begin', id },
    { verb: 'cancel', id },
    { verb: 'confirm', id, keyTag: 12_345 },
  ]);
  expect(await run('roll-key', 'gslb.test', '--cancel', '--confirm', '1')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('not both'),
  });
});

// An administrator replaces a zone's entry key through the graph. At each step delv, an independent validator, checks
// the answers of a real name server with every DS record that the parent may have then.
// needs: bind9-dnsutils
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { keyRule, ZoneKeyRollover } from '../../../../../subgraphs/gslb/control/entities/zone-key-rollover.ts';
import { lockZone, openZoneKeys, storeZoneKeys } from '../../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { identity } from '../../support/gslb-graph.ts';
import { type Served, ServedGraph } from '../../support/served-graph.ts';

const admin = identity('ADMIN');
const zone = 'gslb.test';
let served: ServedGraph;
let server: Served;
let folder: TemporaryFolder;
let rollover: ZoneKeyRollover;

beforeAll(async () => {
  folder = await temporaryFolder();
  served = await ServedGraph.open();
  server = await served.serve('ns1');
  await served.plan();
  const { db, wake, log, sealer } = served.graph;
  rollover = new ZoneKeyRollover({ db, wake, log, sealer, signs: true, lookMs: 50 });
  rollover.start();
});
afterAll(async () => {
  await rollover?.stop();
  await served?.close();
  await folder?.remove();
});

interface Shown {
  readonly ds: readonly string[];
  readonly keys: readonly { readonly keyTag: number; readonly use: string; readonly namedSince: string | null }[];
}

async function shown(): Promise<Shown> {
  const query = 'query ($id: ID!) { dnsZone(id: $id) { ds keys { keyTag use keyState namedSince } } }';
  return (await served.graph.ask<{ dnsZone: Shown }>(admin, query, { id: served.world.zone })).dnsZone;
}

const entries = async () => (await shown()).keys.filter(({ use }) => use === 'ENTRY').map(({ keyTag }) => keyTag);
const roll = async (step: string, input: object = {}) =>
  served.graph.ask<Record<string, { userErrors: { code: string; field: string[] }[] }>>(
    admin,
    `mutation ($input: DnsZoneKeyRoll${step}Input!) { made: dnsZoneKeyRoll${step}(input: $input) { userErrors { code field } } }`,
    { input: { id: served.world.zone, ...input } },
  );
const faults = async (step: string, input: object = {}) =>
  (await roll(step, input)).made?.userErrors.map(({ code, field }) => `${code} ${field.join('.')}`);

/** Validates the name server's answer like a resolver whose parent has this DS record. */
async function validated(ds: string): Promise<boolean> {
  const anchors = join(folder.path, 'anchors');
  const [tag, algorithm, type, digest] = ds.split(' ');
  await writeFile(anchors, `trust-anchors {\n"${zone}." static-ds ${tag} ${algorithm} ${type} "${digest}";\n};\n`);
  const words = ['@127.0.0.1', '-p', String(server.answerer.ports[0]), '-a', anchors, `+root=${zone}`, `shop.${zone}`];
  const { stdout, stderr } = await runProgram('delv', words);
  return `${stdout}${stderr}`.includes('fully validated');
}

/** Waits until the name server has this number of keys. */
const has = (count: number) =>
  waitFor(`${count} keys at the name server`, () => server.answerer.plan(`${zone}.`)?.keys.length === count);

/** Moves all key times back by this much. */
async function later(ms: number): Promise<void> {
  const { db, wake, sealer } = served.graph;
  await db.transaction(async (tx) => {
    const row = await lockZone(tx, zone);
    if (row === undefined) throw new Error('no zone');
    const keys = openZoneKeys(row, sealer).map((key) => ({
      ...key,
      // The plain key does not roll in that time.
      sinceMs: key.flags === 257 ? key.sinceMs - ms : key.sinceMs,
      namedSinceMs: key.namedSinceMs === null ? null : key.namedSinceMs - ms,
    }));
    await storeZoneKeys(tx, wake, { zone, keys, sealer });
  });
}

test('from the first key to the next, every answer is valid for every possible parent', async () => {
  await has(2);
  const [first = 0] = await entries();
  const [old = ''] = (await shown()).ds;
  expect(await validated(old)).toBe(true);
  expect(await faults('Cancel')).toEqual(['WRONG_STATE input.id']);

  expect(await faults('Begin')).toEqual([]);
  expect(await faults('Begin')).toEqual(['WRONG_STATE input.id']);
  await has(3);
  const taken = (await entries()).find((tag) => tag !== first);
  expect((await shown()).ds).toEqual([old]);
  expect(await validated(old)).toBe(true);
  expect(await faults('Confirm', { keyTag: taken })).toEqual(['WRONG_STATE input.keyTag']);
  expect(await faults('Confirm', { keyTag: 70_000 })).toEqual(['NOT_FOUND input.keyTag']);
  expect(await faults('Cancel')).toEqual([]);
  await has(2);
  expect(await entries()).toEqual([first]);

  expect(await faults('Begin')).toEqual([]);
  await has(3);
  const next = (await entries()).find((tag) => tag !== first) ?? 0;
  await later(keyRule.ttlMs + keyRule.spreadMs);
  const [offered = ''] = (await shown()).ds;
  expect(offered.split(' ')[0]).toBe(String(next));
  // The parent may update at any time.
  expect([await validated(old), await validated(offered)]).toEqual([true, true]);
  expect(await faults('Cancel')).toEqual(['WRONG_STATE input.id']);
  expect(await faults('Confirm', { keyTag: next })).toEqual([]);
  expect((await shown()).keys.find(({ keyTag }) => keyTag === next)?.namedSince).not.toBeNull();
  // A resolver may still have the old DS record.
  expect([await validated(old), await validated(offered)]).toEqual([true, true]);
  await later(keyRule.parentTtlMs);
  await has(2);
  expect(await entries()).toEqual([next]);
  expect(await validated(offered)).toBe(true);
  expect(await validated(old)).toBe(false);
});

test('only an administrator may roll a key', async () => {
  const { graph, world } = served;
  for (const step of ['Begin', 'Cancel'])
    expect((await graph.mutate(`dnsZoneKeyRoll${step}`, { id: world.zone }, identity('OPERATOR'))).faults).toEqual([
      'FORBIDDEN ',
    ]);
});

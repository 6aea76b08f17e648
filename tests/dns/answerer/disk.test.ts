// A restarted name server answers as before, and reports the age of its answers.

import { randomBytes } from 'node:crypto';
import { rmdirSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { Answerer } from '../../../dns/answerer/answerer.ts';
import { makeKey } from '../../../dns/answerer/dnssec/keys.ts';
import { mapIdOf } from '../../../dns/policy/client-blocks.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { testHistory } from '../../support/stores/histories.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';

const keyring = new Keyring({ active: 'k1', keys: { k1: randomBytes(32).toString('base64') } });
const sealer = createSealer(keyring);
const at = (label: string, address: string) => namePlan(label, { members: [member('m1', { addresses: [address] })] });
const plan = zonePlan([at('a', '192.0.2.1'), at('b', '192.0.2.1')], { keys: [makeKey(257, true)] });
const change = {
  zone,
  history: testHistory,
  from: 7,
  to: 8,
  names: [at('a', '192.0.2.8')],
  removedNames: [`b.${zone}`],
};

const folder = forTest(() => temporaryFolder());
const time = { wallMs: 0, upMs: 0, bootId: 'boot-1' };
const clocks = () => ({
  ...{ wallMs: () => time.wallMs, steadyMs: () => time.upMs, upMs: () => time.upMs, bootId: time.bootId },
});
const failures: string[] = [];
beforeEach(async () => {
  failures.length = 0;
  Object.assign(time, { wallMs: Date.UTC(2026, 10, 21), upMs: 1_000_000, bootId: 'boot-1' });
});

function start(onFailure = (): void => undefined): Promise<Answerer> {
  const failed = (what: string) => {
    failures.push(what);
    onFailure();
  };
  const disk = { path: join(folder.path, 'plans'), sealer };
  return Answerer.start({ listen: [], name: 'a', disk, failed, clocks: clocks() });
}

function pass(ms: number): void {
  time.wallMs += ms;
  time.upMs += ms;
}

async function restarted(first: Answerer): Promise<Answerer> {
  await first.close();
  return start();
}

const file = (ending: string) => join(folder.path, 'plans', `${zone.slice(0, -1)}.${ending}`);

test('plans, changes and removals are kept', async () => {
  let answerer = await start();
  answerer.put(plan);
  answerer = await restarted(answerer);
  expect(answerer.plan(zone)).toEqual(plan);
  expect(answerer.change(change)).toBe('TAKEN');
  answerer = await restarted(answerer);
  expect(await readFile(file('changes'), 'utf8')).toContain('192.0.2.8');
  expect(answerer.plan(zone)).toMatchObject({ generation: 8, names: [{ fqdn: `a.${zone}` }], keys: plan.keys });
  const { names: _names, history: _history, generation: _generation, ...head } = plan;
  expect(answerer.change({ ...change, from: 8, to: 9, head: { ...head, ttlSeconds: 60 } })).toBe('TAKEN');
  answerer = await restarted(answerer);
  expect(answerer.plan(zone)).toMatchObject({ generation: 9, ttlSeconds: 60, keys: plan.keys });
  answerer.remove(zone);
  answerer = await restarted(answerer);
  expect(answerer.plan(zone)).toBeUndefined();
  await answerer.close();
  expect(failures).toEqual([]);
});

test('only their owner reads them, and no key is in them', async () => {
  const answerer = await start();
  answerer.put(plan);
  answerer.change({ ...change, head: plan });
  await answerer.close();
  for (const name of await readdir(join(folder.path, 'plans'))) {
    const path = join(folder.path, 'plans', name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).not.toContain('PRIVATE KEY');
  }
  expect((await stat(join(folder.path, 'plans'))).mode & 0o777).toBe(0o700);
});

test('a change that a crash cut off is missing, and later changes are there', async () => {
  let answerer = await start();
  answerer.put(plan);
  answerer = await restarted(answerer);
  answerer.change(change);
  await answerer.close();
  await appendFile(file('changes'), JSON.stringify({ ...change, from: 8, to: 9 }).slice(0, 40));
  answerer = await start();
  expect(answerer.plan(zone)?.generation).toBe(8);
  answerer.change({ ...change, from: 8, to: 9, names: [at('c', '192.0.2.3')], removedNames: [] });
  answerer = await restarted(answerer);
  expect(answerer.plan(zone)?.generation).toBe(9);
  await answerer.close();
  expect(failures).toEqual([]);
});

test('a zone is written after the client maps to which it refers, and a map is removed after the zones', async () => {
  const blocks = [{ cidr: '198.51.100.0/24', region: 'eu' }];
  const mapId = mapIdOf(blocks);
  const mapFile = join(folder.path, 'plans', 'maps', `${mapId}.json`);
  let answerer = await start();
  await mkdir(mapFile, { recursive: true });
  answerer.putMap(mapId, blocks);
  answerer.put(zonePlan([namePlan('geo', { clientMapId: mapId })]));
  await waitFor('the failure', () => answerer.stats().unsaved === 1);
  expect(await readdir(join(folder.path, 'plans'))).toEqual(['maps']);
  await rmdir(mapFile);
  await waitFor('the end of it', () => answerer.stats().unsaved === 0);
  answerer = await restarted(answerer);
  expect([...answerer.maps.keys()]).toEqual([mapId]);
  expect(answerer.zonesWithoutMaps().size).toBe(0);
  expect((await stat(mapFile)).mode & 0o777).toBe(0o600);
  await mkdir(file('changes'));
  answerer.change({ ...change, names: [namePlan('geo')], removedNames: [] });
  answerer.dropUnusedMaps();
  await waitFor('the failure', () => answerer.stats().unsaved === 1);
  expect(await readdir(join(folder.path, 'plans', 'maps'))).toEqual([`${mapId}.json`]);
  await rmdir(file('changes'));
  await answerer.close();
  expect(await readdir(join(folder.path, 'plans', 'maps'))).toEqual([]);
  expect(failures).toHaveLength(2);
});

test('a damaged file stops nothing', async () => {
  let answerer = await start();
  answerer.put(plan);
  answerer.put({ ...zonePlan([]), zone: 'other.test.', nameServers: [] });
  await answerer.close();
  await writeFile(file('json'), '{');
  answerer = await start();
  expect(answerer.plan(zone)).toBeUndefined();
  expect(answerer.plan('other.test.')).toBeDefined();
  expect(failures).toEqual([expect.stringContaining('gslb.example.test.json')]);
  await answerer.close();
});

test('the age of answers counts from the last message of the feed, also after a restart', async () => {
  let answerer = await start();
  answerer.put(plan);
  expect(answerer.stats().heardAgoMs).toBeUndefined();
  answerer.heard();
  pass(60_000);
  expect(answerer.stats().heardAgoMs).toBe(60_000);
  answerer = await restarted(answerer);
  expect(answerer.stats()).toMatchObject({
    heardAgoMs: 60_000,
    zones: [{ zone, position: { history: testHistory, number: 7 }, serial: 7, signed: true }],
  });
  await answerer.close();
});

test('setting a clock does not change the age of answers', async () => {
  let answerer = await start();
  answerer.heard();
  pass(60_000);
  time.wallMs -= 3_600_000;
  expect(answerer.stats().heardAgoMs).toBe(60_000);
  answerer = await restarted(answerer);
  expect(answerer.stats().heardAgoMs).toBe(60_000);
  await answerer.close();
  // After a boot only the time of day is known.
  pass(60_000);
  Object.assign(time, { upMs: 5_000, bootId: 'boot-2' });
  answerer = await start();
  expect(answerer.stats().heardAgoMs).toBeUndefined();
  await answerer.close();
  time.wallMs += 3_600_000;
  answerer = await start();
  expect(answerer.stats().heardAgoMs).toBe(120_000);
  await answerer.close();
});

test.each([
  ['{', undefined],
  ['null', undefined],
  ['{"wallMs":"x"}', undefined],
  // Of an earlier release.
  [String(Date.UTC(2026, 10, 21) - 9_000), 9_000],
])('the time of the last word is read from %s', async (text, agoMs) => {
  await (await start()).close();
  await writeFile(join(folder.path, 'plans', 'heard'), text);
  const answerer = await start();
  expect(answerer.stats().heardAgoMs).toBe(agoMs);
  await answerer.close();
});

test('a file left by a killed process does not block the next process with its ID', async () => {
  let answerer = await start();
  await writeFile(`${file('json')}.${process.pid}.new`, '{');
  answerer = await restarted(answerer);
  answerer.put(plan);
  await answerer.close();
  expect(failures).toEqual([]);
  expect(await readdir(join(folder.path, 'plans'))).toEqual([`${zone.slice(0, -1)}.json`]);
});

test('a disk that refuses writes is reported once, and later gets everything', async () => {
  let answerer = await start();
  await mkdir(file('json'));
  answerer.put(plan);
  await waitFor('the failure', () => answerer.stats().unsaved === 1);
  answerer.change(change);
  await rmdir(file('json'));
  await waitFor('the end of it', () => answerer.stats().unsaved === 0);
  expect(failures).toEqual(['a plan could not be written']);
  answerer = await restarted(answerer);
  expect(answerer.plan(zone)?.generation).toBe(8);
  await answerer.close();
});

test('a change that arrives while the disk refuses an earlier one does not displace that one', async () => {
  const first = await start();
  first.put(plan);
  await first.close();
  const answerer = await start(() => {
    rmdirSync(file('changes'));
    answerer.change({ ...change, from: 8, to: 9, names: [at('c', '192.0.2.3')], removedNames: [] });
  });
  await mkdir(file('changes'));
  answerer.change(change);
  await waitFor('the failure', () => failures.length === 1);
  await waitFor('the end of it', () => answerer.stats().unsaved === 0);
  const next = await restarted(answerer);
  expect(next.plan(zone)?.generation).toBe(9);
  await next.close();
});

test('a damaged line of changes ends the changes, and the zone is answered in its state before', async () => {
  let answerer = await start();
  answerer.put(plan);
  answerer = await restarted(answerer);
  answerer.change(change);
  await answerer.close();
  await appendFile(file('changes'), `\0\0\0\n${JSON.stringify({ ...change, from: 8, to: 9 })}\n`);
  answerer = await start();
  expect(answerer.plan(zone)?.generation).toBe(8);
  expect(failures).toEqual([]);
  await answerer.close();
});

test('the age on disk is never younger than the zones on disk', async () => {
  let answerer = await start();
  answerer.put(plan);
  answerer.heard();
  answerer = await restarted(answerer);
  const aside = join(folder.path, 'aside.json');
  await rename(file('json'), aside);
  await mkdir(file('json'));
  pass(60_000);
  answerer.put({ ...plan, generation: 8 });
  answerer.heard();
  await waitFor('the failure', () => answerer.stats().unsaved === 1);
  await answerer.close();
  await rmdir(file('json'));
  await rename(aside, file('json'));
  answerer = await start();
  expect(answerer.plan(zone)?.generation).toBe(7);
  expect(answerer.stats().heardAgoMs).toBe(60_000);
  await answerer.close();
});

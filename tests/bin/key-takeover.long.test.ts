// A data folder from before keys were split by role: its single key and its unsigned audit trail are taken over at the next start.
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AllInOne, allInOneConfig, startAllInOne } from '../../compose/all-in-one.ts';
import { Database } from '../../platform/database/database.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(async () => {
  await folder.remove();
});

function start(): Promise<AllInOne> {
  const flags = { 'listen.port': '0', 'log.level': 'silent' };
  return startAllInOne({
    ...{ config: allInOneConfig({ flags }), dataPath: join(folder.path, 'data'), withLab: false },
    ...{ signal: new AbortController().signal, stdout: new PassThrough() },
  });
}

async function withDatabase<Result>(system: AllInOne, work: (db: Database) => Promise<Result>): Promise<Result> {
  const db = new Database({ connection: system.database });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

const unsealed = (db: Database) =>
  db.query<{ count: number }>('SELECT COUNT(*) AS count FROM audit_entry WHERE position IS NULL');
const ends = (db: Database) =>
  db.query<{ position: number; signature: string | null }>(
    'SELECT next_position - 1 AS position, head_signature AS signature FROM audit_chain',
  );

test('npm start on an older data folder: the one key becomes the shared key of the subgraphs, the trail continues, signed', async () => {
  const keys = join(folder.path, 'data', 'keys');
  const file = (name: string) => join(keys, `${name}.keys`);
  const write = (system: AllInOne, project: string) => system.process.access?.firstStart.ensureProject(project);
  const isSealed = (system: AllInOne) => withDatabase(system, async (db) => (await unsealed(db))[0]?.count === 0);

  const before = await start();
  await write(before, 'before');
  await waitFor('the trail to be sealed', () => isSealed(before));
  const [was] = await withDatabase(before, async (db) => {
    await db.execute('UPDATE audit_chain SET head_signature = NULL');
    return ends(db);
  });
  await before.stop();
  await rename(file('subgraphs'), file('trust'));
  for (const name of ['gateway', 'system', 'audit', 'public']) await rm(file(name));

  const after = await start();
  try {
    expect(await readFile(file('subgraphs'), 'utf8')).toBe(await readFile(file('trust'), 'utf8'));
    await write(after, 'after');
    await waitFor('the trail to be sealed again', () => isSealed(after));
    const [is] = await withDatabase(after, ends);
    expect(is?.signature).toMatch(/^k1\./);
    expect(is?.position).toBeGreaterThan(was?.position ?? Number.NaN);
  } finally {
    await after.stop();
  }
});

// `npm start` with a private PowerDNS, which answers names that a subgraph declares, also after kill -9.
// needs: bind9-dnsutils
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AllInOne, allInOneConfig, startAllInOne } from '../../compose/all-in-one.ts';
import { dnsModule } from '../../dns/module.ts';
import { declareRecords } from '../../dns/records/record-store.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { Database } from '../../platform/database/database.ts';
import { createLocalWake } from '../../platform/work/wake.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { thermometerRow } from '../small-subgraph/row.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const zone = 'lb.example.test';
const rows = [...subgraphRows, { ...thermometerRow, uses: [dnsModule], zones: () => [zone] }];
let folder: TemporaryFolder;
let port: number;
let running: AllInOne;

beforeAll(async () => {
  folder = await temporaryFolder();
  port = await freePort();
  running = await start({ 'dns.privateServer': `127.0.0.1:${port}` });
});

afterAll(async () => {
  await running.stop();
  await folder.remove();
});

async function start(settings: Readonly<Record<string, string>>, data = 'data'): Promise<AllInOne> {
  const flags = { 'listen.port': String(await freePort()), 'log.level': 'silent', ...settings };
  return startAllInOne({
    config: allInOneConfig({ flags }, rows),
    ...{ dataPath: join(folder.path, data), withLab: false, signal: new AbortController().signal, rows },
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
}

async function answer(name: string): Promise<string> {
  return (await runProgram('dig', ['@127.0.0.1', '-p', String(port), '+short', '+time=1', '+tries=1', name])).stdout;
}

test('a declared name is answered, and again after kill -9 of the server', async () => {
  const db = new Database({ connection: running.database, connectionLimit: 2 });
  const name = `web.${zone}`;
  const records = [{ type: 'A', value: '192.0.2.1' } as const];
  const wanted = { zone, name, owner: 'thermometer/1', records, ttlSeconds: 5 };
  await db.transaction((tx) => declareRecords(tx, createLocalWake(), wanted));
  await db.close();
  await waitFor('the answer', async () => (await answer(name)) === '192.0.2.1\n');
  const pidFile = join(folder.path, 'data', 'powerdns', 'pdns.pid');
  const pid = Number(await readFile(pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  await waitFor('another server', async () => Number(await readFile(pidFile, 'utf8').catch(() => pid)) !== pid);
  await waitFor('the answer', async () => (await answer(name)) === '192.0.2.1\n');
});

test('it is not started if the operator has servers', async () => {
  const both = { 'dns.privateServer': `127.0.0.1:${await freePort()}`, 'dns.servers': '192.0.2.53:53' };
  await expect(start(both, 'other')).rejects.toThrow('give one');
});

// The embedded PowerDNS: its key, its zones, and kill -9 of its owner process.
// needs: bind9-dnsutils

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedPowerdns, startPowerdns } from '../../embedded/powerdns.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { freePort } from '../support/machine/free-port.ts';
import { ownNetwork } from '../support/machine/own-network.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const zone = 'lb.example.test';
let place: TemporaryFolder;
let port: number;
beforeAll(async () => {
  place = await temporaryFolder();
  port = await freePort();
});
afterAll(() => place.remove());

async function dig(...words: readonly string[]): Promise<string> {
  return (await runProgram('dig', ['@127.0.0.1', '-p', String(port), '+time=2', ...words])).stdout;
}

async function nsupdate(keyFile: string | undefined, line: string): Promise<string> {
  const script = join(place.path, 'script');
  await writeFile(script, `server 127.0.0.1 ${port}\nzone ${zone}\n${line}\nsend\n`);
  const key = keyFile === undefined ? [] : ['-k', keyFile];
  return (await runProgram('nsupdate', [...key, script])).stderr;
}

test('kill -9 of the owner ends PowerDNS, and the next owner has every record and the same key', async () => {
  const path = join(place.path, 'killed');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'powerdns-owner-process.ts'), path, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pid, keyFile } = JSON.parse(line) as EmbeddedPowerdns;
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect(await nsupdate(keyFile, `update add web.${zone} 5 A 192.0.2.1`)).toBe('');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const folder = await openDataFolder(path, { version: 1 });
  const server = await startPowerdns({ folder, log: silentLog, port, zones: [zone, 'other.example.test'] });
  await waitFor('the old server to end', () => !isRunning(pid));
  expect(await dig('+short', `web.${zone}`)).toBe('192.0.2.1\n');
  expect(await dig('+short', 'other.example.test', 'NS')).toBe('ns.other.example.test.\n');
  expect(await nsupdate(keyFile, `update add api.${zone} 5 A 192.0.2.2`)).toBe('');
  // Only the product's own account can read the zone file, which also contains the key.
  expect((await stat(join(path, 'powerdns', 'zones.sqlite'))).mode & 0o077).toBe(0);
  await server.stop();
  await folder.close();
});

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

testAsRoot('kill -9 of the owner ends one at a port of root, too', async () => {
  const network = await ownNetwork();
  const path = join(place.path, 'low');
  const program = join(import.meta.dirname, 'powerdns-owner-process.ts');
  const child = spawn(process.execPath, [program, path, '53', `127.${network.part}.0.1`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pid } = JSON.parse(line) as EmbeddedPowerdns;
  expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitFor('its end', () => !isRunning(pid));
  network.release();
});

test('PowerDNS refuses updates without the key, transfers, and questions about other zones', async () => {
  const folder = await openDataFolder(join(place.path, 'closed'), { version: 1 });
  const server = await startPowerdns({ folder, log: silentLog, port, zones: [zone] });
  expect(await nsupdate(undefined, `update add web.${zone} 5 A 192.0.2.1`)).toContain('REFUSED');
  expect(await dig('+short', `web.${zone}`)).toBe('');
  expect(await dig(zone, 'AXFR')).toContain('Transfer failed');
  expect(await dig('example.com')).toContain('REFUSED');
  await server.stop();
  await folder.close();
});

// The server of a data host, without an agent's decisions: its start, its fence, and what an agent left that was killed.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { HaServer } from '../../../ha/agent/server.ts';
import { freePort } from '../../support/free-port.ts';
import { patience } from '../../support/patience.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../../support/temporary-folder.ts';

const farMs = 3_600_000;
let place: TemporaryFolder;
let folder: DataFolder;
let port: number;
const servers: HaServer[] = [];

beforeEach(async () => {
  place = await temporaryFolder();
  folder = await openDataFolder(join(place.path, 'a'), { version: 1 });
  port = await freePort();
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.kill();
    server.close();
  }
  await folder.close();
  await place.remove();
});

async function open(): Promise<HaServer> {
  const server = await HaServer.open({
    ...{ folder, log: silentLog, me: 'a', hosts: { a: { address: '127.0.0.1', port, serverId: 1 } } },
    ...{ accounts: { applicationPassword: 'a', replicationPassword: 'b' }, heartbeatMs: 60_000, mayRoute: false },
  });
  servers.push(server);
  return server;
}

async function isUp(server: HaServer): Promise<boolean> {
  return (await server.view()).state === 'up';
}

test('a lease that is renewed while the server starts counts for it, and its end kills the server', async () => {
  const server = await open();
  const firstMs = monotonicMs() + 5_000 * patience;
  await server.fence(firstMs);
  const starting = server.start('MASTER');
  const fenceFile = join(folder.path, 'mariadb', 'fence');
  await waitFor('the fence', async () => (await readFile(fenceFile, 'utf8').catch(() => '')) !== '');
  await server.fence(firstMs + farMs);
  await starting;
  await waitFor('the server', () => isUp(server));
  await waitFor('the end of the first lease', () => monotonicMs() > firstMs + 500);
  expect(await isUp(server)).toBe(true);
  expect(await readFile(fenceFile, 'utf8')).toBe(String(firstMs + farMs));
  const pid = server.pid ?? 0;
  await server.fence(monotonicMs());
  await waitFor('its end', () => !isRunning(pid));
});

test('a standby has no fence until its writes are opened', async () => {
  const server = await open();
  await server.fence(monotonicMs() - 1);
  await server.start('SLAVE');
  await waitFor('the server', () => isUp(server));
  await server.fence(monotonicMs() + farMs);
  await server.open(1, undefined, () => true);
  expect(await server.view()).toMatchObject({ duty: 'primary', writable: true });
});

test('a server that an agent started and could not note is killed before another one starts', async () => {
  const first = await open();
  await first.start('SLAVE');
  await waitFor('the first server', () => isUp(first));
  const pid = first.pid ?? 0;
  await rm(join(folder.path, 'mariadb', 'server.json'));
  const second = await open();
  expect(await second.view()).toEqual({ state: 'down' });
  await second.start('SLAVE');
  await waitFor('its end', () => !isRunning(pid));
  await waitFor('the second server', async () => {
    if ((await second.view()).state === 'down') await second.start('SLAVE');
    return isUp(second);
  });
});

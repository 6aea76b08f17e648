// Without a virtual address, load balancers find one host, and none while the primary is about to change.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { monotonicMs } from '../../ha/agent/clock.ts';
import { BalancedClients } from '../../ha/balanced-clients.ts';
import { PrimaryHealth } from '../../ha/primary-health.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const servedProgram = fileURLToPath(new URL('./address/served-process.ts', import.meta.url));
let place: TemporaryFolder;
let health: PrimaryHealth;
let served: ChildProcess | undefined;

beforeEach(async () => {
  place = await temporaryFolder();
});

afterEach(async () => {
  served?.kill('SIGKILL');
  await health?.close();
  await place.remove();
});

test('before a planned change the primary is not found and its process is notified; if the change is abandoned, it is found again', async () => {
  const [port, servedPort] = [await freePort(), await freePort()];
  health = await PrimaryHealth.open({ address: '127.0.0.1', port });
  const status = async () => (await fetch(`http://127.0.0.1:${port}/health/primary`)).status;
  const processFile = join(place.path, 'served.json');
  served = spawn(process.execPath, [servedProgram, String(servedPort), processFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = served;
  if (stdout === null) throw new Error('it has no output');
  let said = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(stdout, 'data');
  const clients = new BalancedClients({ health, processFile });
  const farMs = monotonicMs() + 3_600_000;
  expect(await status()).toBe(503);
  health.held(farMs);
  expect(await status()).toBe(200);
  await clients.leave();
  await waitFor('the process', () => said.includes('told'));
  // The agent polls again.
  health.held(farMs);
  expect(await status()).toBe(503);
  await clients.stay();
  expect(await status()).toBe(200);
  await clients.leave();
  health.lost();
  await clients.stay();
  expect(await status()).toBe(503);
});

// The watchdog of a server together with the machine's watchdog. No test resets a machine: a FIFO stands in for the device, and its reader
// records each write and the close.
// needs: processes
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { processMark } from '../../../embedded/process-mark.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { writeFence } from '../../../ha/agent/watchdog.ts';
import { forTest } from '../../support/jest/shared.ts';
import { isRunning, stays, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const program = fileURLToPath(new URL('../../../ha/agent/watchdog-process.ts', import.meta.url));
const farMs = 3_600_000;
const place = forTest(() => temporaryFolder());
let told: { text: string; isClosed: boolean };
let device: string;
let fenceFile: string;
let pidFile: string;

beforeEach(async () => {
  device = join(place.path, 'watchdog');
  fenceFile = join(place.path, 'fence');
  pidFile = join(place.path, 'server.pid');
  await runProgram('mkfifo', [device]);
  await writeFence(fenceFile, undefined);
});

/** Reads until the device is closed. */
function listen(): void {
  const seen = { text: '', isClosed: false };
  told = seen;
  createReadStream(device, 'utf8')
    .on('data', (part) => {
      seen.text += part;
    })
    .on('end', () => {
      seen.isClosed = true;
    });
}

/** `command` stands in for the server. */
async function start(command: string, args: readonly string[], agentFile?: string) {
  const order = {
    command,
    args,
    cwd: place.path,
    env: process.env,
    logFile: join(place.path, 'log'),
    pidFile,
    fenceFile,
    ...(agentFile !== undefined && { agentFile }),
  };
  const orderFile = join(place.path, 'order.json');
  await writeFile(orderFile, JSON.stringify({ ...order, device }));
  const watchdog = spawn(process.execPath, [program, orderFile], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
  const { stdout } = await waitFor('the server', async () => {
    const read = await runProgram('cat', [pidFile]);
    return read.exitCode === 0 && read.stdout.trim() !== '' && read;
  });
  return { watchdog, ended, server: Number(stdout) };
}

test('the device is fed while the server leads, released when it no longer leads, and used again when it leads again', async () => {
  const { watchdog, ended, server } = await start('sleep', ['600']);
  listen();
  await writeFence(fenceFile, monotonicMs() + farMs);
  await waitFor('it to be kept alive again and again', () => told.text.startsWith('111'));
  expect(told.isClosed).toBe(false);
  await writeFence(fenceFile, undefined);
  await waitFor('its end', () => told.isClosed);
  expect(told.text).toMatch(/^1+V$/);
  listen();
  await writeFence(fenceFile, monotonicMs() + farMs);
  await waitFor('it to be kept alive', () => told.text.startsWith('1'));
  expect([isRunning(server), watchdog.exitCode]).toEqual([true, null]);
  killQuietly(server, 'SIGKILL');
  await ended;
  await waitFor('its end', () => told.isClosed);
  // Nothing is written for a server that has ended.
  expect(told.text).toMatch(/^1+V$/);
});

test('the device gets no more signs of life once the process that feeds it is gone', async () => {
  const { watchdog, ended, server } = await start('sleep', ['600']);
  listen();
  await writeFence(fenceFile, monotonicMs() + farMs);
  await waitFor('it to be kept alive', () => told.text.startsWith('1'));
  watchdog.kill('SIGKILL');
  await ended;
  await waitFor('its end', () => told.isClosed);
  expect(told.text).toMatch(/^1+$/);
  await waitFor('the server to be killed by the kernel', () => !isRunning(server));
});

test('a hung process does not keep the machine alive', async () => {
  const { watchdog, ended } = await start('sleep', ['600']);
  listen();
  await writeFence(fenceFile, monotonicMs() + farMs);
  await waitFor('it to be kept alive', () => told.text.startsWith('1'));
  watchdog.kill('SIGSTOP');
  const before = await waitFor('what was written before', async () => {
    const { length } = told.text;
    // Data in the pipe still arrives, but the stopped process writes nothing more.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return told.text.length === length && { length };
  });
  // A running process writes every second.
  await stays('nothing comes', 2_500, () => told.text.length === before.length && !told.isClosed);
  watchdog.kill('SIGKILL');
  await ended;
});

test('at the end of the lease the server is killed, and the machine is not reset once the server has ended', async () => {
  const { ended, server } = await start('sleep', ['600']);
  listen();
  await writeFence(fenceFile, monotonicMs() + farMs);
  await waitFor('it to be kept alive', () => told.text.startsWith('1'));
  await writeFence(fenceFile, monotonicMs() - 1);
  await ended;
  expect(isRunning(server)).toBe(false);
  await waitFor('its end', () => told.isClosed);
  expect(told.text).toMatch(/^1+V$/);
});

test('a device that is missing or has no reader does not delay the fence of the server', async () => {
  const { ended, server } = await start('sleep', ['600']);
  await writeFence(fenceFile, monotonicMs() + 1_000);
  await ended;
  await waitFor('the server to be killed', () => !isRunning(server));
  expect((await runProgram('cat', [join(place.path, 'log')])).stdout).toContain("the machine's watchdog");
});

/** The watchdog of a primary whose agent is that process. `ttl`: what etcd answers to a renewal. Resolves with the requests to etcd. */
async function startFor(agent: number, ttl: string, leaseMs: number) {
  const asked: string[] = [];
  const etcd = createServer((request, response) => {
    request.on('data', (part) => asked.push(String(part)));
    request.on('end', () => response.end(`${JSON.stringify({ result: { TTL: ttl } })}\n`));
  });
  etcd.listen(0, '127.0.0.1');
  await once(etcd, 'listening');
  const leadFile = join(place.path, 'lead.json');
  const fenceAtMs = monotonicMs() + 1_000;
  await writeFile(leadFile, JSON.stringify({ id: 'r', lease: '7', leaseMs, fenceAtMs, bootId: 'this' }));
  const urls = ['http://127.0.0.1:1', `http://127.0.0.1:${(etcd.address() as AddressInfo).port}`];
  const agentFile = join(place.path, 'agent.json');
  await writeFile(agentFile, JSON.stringify({ agent: processMark(agent), leadFile, urls }));
  const { server, ended } = await start('sleep', ['600'], agentFile);
  await writeFence(fenceFile, fenceAtMs);
  const close = () => etcd.close();
  return { asked, server, ended, fenceAtMs, leadFile, close };
}

test.each([
  ['was killed is renewed', 'SIGKILL', '3', true],
  ['hangs ends', 'SIGSTOP', '3', false],
  ['was killed ends if etcd has given it to nobody', 'SIGKILL', '0', false],
] as const)('the lead of an agent that %s', async (_what, signal, ttl, isRenewed) => {
  const agent = spawn('sleep', ['600'], { stdio: 'ignore' });
  const { asked, server, ended, fenceAtMs, leadFile, close } = await startFor(agent.pid ?? 0, ttl, 60_000);
  agent.kill(signal);
  if (isRenewed) {
    const fence = await waitFor('the next end', async () => {
      const now = Number(await readFile(fenceFile, 'utf8'));
      return now > fenceAtMs && now;
    });
    // The next agent reads the same end, of the same lead.
    expect(JSON.parse(await readFile(leadFile, 'utf8'))).toMatchObject({ id: 'r', bootId: 'this', fenceAtMs: fence });
    expect(asked).toEqual([JSON.stringify({ ID: '7' })]);
    await waitFor('the former end', () => monotonicMs() > fenceAtMs + 100);
    expect(isRunning(server)).toBe(true);
    killQuietly(server, 'SIGKILL');
  }
  await ended;
  await waitFor('the end of the server', () => !isRunning(server));
  expect(asked.length > 0).toBe(signal === 'SIGKILL');
  agent.kill('SIGKILL');
  close();
});

test('the lead of a killed agent is renewed for some seconds, and then ends', async () => {
  const agent = spawn('sleep', ['600'], { stdio: 'ignore' });
  const { asked, ended, fenceAtMs, close } = await startFor(agent.pid ?? 0, '3', 1_500);
  agent.kill('SIGKILL');
  await ended;
  // Three seconds, and what the last renewal gave.
  expect(monotonicMs() - fenceAtMs).toBeGreaterThan(2_000);
  expect(asked.length).toBeGreaterThan(2);
  close();
});

// An abandoned connection is closed at once, in any state.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { CheckRun, type Entry } from '../../../platform/checks/check-run.ts';
import { tcpProbe } from '../../../platform/checks/probes/tcp.ts';
import { dial } from '../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { namesOfUsers } from '../../../platform/net/names.ts';
import { resetSocket } from '../../../platform/net/reset-socket.ts';
import { testEgress } from '../../support/machine/egress.ts';

const owned: Socket[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const socket of owned.splice(0)) socket.destroy();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A port that neither accepts nor refuses, because its process is stopped and its backlog is full. */
async function silentPort(): Promise<number> {
  const program =
    "require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(String(line));
  for (let count = 0; count < 3; count += 1) owned.push(connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  return port;
}

test('while it still connects: its descriptor is not kept while the kernel retries', async () => {
  const socket = dial(testEgress, { host: '127.0.0.1', port: await silentPort() });
  owned.push(socket);
  // The full queue of the listener drops the packets, so no answer arrives.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(socket.connecting).toBe(true);
  resetSocket(socket);
  await once(socket, 'close');
});

test('a check that is cancelled during name resolution dials nothing', async () => {
  const dialled = jest.fn(testEgress.denial);
  const egress: EgressPolicy = { rules: testEgress.rules, denial: dialled };
  const target = { id: 't', parameters: {}, timeoutMs: 1_000, revision: '' };
  const run = new CheckRun({ target, silent: false } as unknown as Entry, egress, performance.now());
  const checking = tcpProbe.check({ host: 'localhost', port: await silentPort() }, run);
  const resolved = new Promise<void>((resolve) => void namesOfUsers.lookup('localhost', () => resolve()));
  run.cancel();
  expect(await checking).toMatchObject({ up: false, message: 'no answer within 1000 ms' });
  await resolved;
  expect(dialled).not.toHaveBeenCalled();
});

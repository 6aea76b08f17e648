// needs: processes
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { signalTo } from '../../../../../subgraphs/loadbalancer/agents/lbhost/own-processes.ts';

test('signalling a process that ended since it was looked up is not an error', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const { pid = 0 } = child;
  signalTo(pid, 'SIGKILL');
  await once(child, 'exit');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(() => signalTo(pid, 'SIGTERM')).not.toThrow();
});

// Background work starts last: loading the code of a role blocks a process for longer than it may hold a lease.
import { expect, test } from '@jest/globals';
import { createLogger } from '../../platform/log/log.ts';
import { runningSystem } from '../support/product/running-system.ts';

test('the worker starts after everything that people wait for', async () => {
  const parts: string[] = [];
  const write = (line: string) => {
    const { msg, part } = JSON.parse(line) as { readonly msg: string; readonly part?: string };
    if (msg === 'started' && part !== undefined) parts.push(part);
  };
  const log = createLogger({ level: 'debug', pretty: false, destination: { write } });
  const system = await runningSystem({ log, settings: { roles: 'gateway,system,gslb,worker' } });
  await system.stop();
  expect(parts).toEqual(expect.arrayContaining(['system', 'gslb', 'worker', 'gateway']));
  expect(parts.slice(parts.indexOf('worker') + 1)).toEqual(['key files']);
});

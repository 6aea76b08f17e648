// Background work starts last: loading the code of a role blocks a process for longer than it may hold a lease. Until then nobody is told that the
// process is ready.
import { expect, test } from '@jest/globals';
import { createLogger } from '../../platform/log/log.ts';
import { freePort } from '../support/machine/free-port.ts';
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

test('a process is not ready before its database answers and all parts have started; then it names each part', async () => {
  const ports = { watch: await freePort(), public: await freePort() };
  const askAt = async (port: number) => {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    return answer === undefined ? undefined : { status: answer.status, ...((await answer.json()) as Readiness) };
  };
  const early: Promise<Awaited<ReturnType<typeof askAt>>>[] = [];
  const write = (line: string) => {
    const { msg, part } = JSON.parse(line) as { readonly msg: string; readonly part?: string };
    if (msg !== 'started' || part === undefined) return;
    if (part === 'watch' || part === 'database') early.push(askAt(ports.watch));
    if (part === 'gateway') early.push(askAt(ports.watch), askAt(ports.public));
  };
  const log = createLogger({ level: 'debug', pretty: false, destination: { write } });
  const settings = { 'watch.port': String(ports.watch), 'listen.port': String(ports.public) };
  const system = await runningSystem({ log, settings: { ...settings, roles: 'gateway,system,worker' } });
  try {
    const before = (await Promise.all(early)).filter((answer) => answer !== undefined);
    expect(before.length).toBeGreaterThan(1);
    expect(before[0]?.status).toBe(503);
    expect(before[0]?.notReady[0]).toMatchObject({ name: 'process', detail: 'starting' });
    for (const port of [ports.watch, ports.public]) {
      const after = await askAt(port);
      expect(after).toMatchObject({ status: 200, ready: true });
      expect(after?.parts.filter(({ ready }) => !ready)).toEqual([]);
      const named = after?.parts.map(({ name }) => name);
      expect(named).toEqual(
        expect.arrayContaining([
          'process',
          'database',
          'redis',
          'sequencer',
          'status feed',
          'owed work',
          'checks',
          'keys',
        ]),
      );
      for (const { since } of after?.parts ?? []) expect(Date.parse(since)).toBeGreaterThan(0);
    }
  } finally {
    await system.stop();
  }
});

interface Readiness {
  readonly ready: boolean;
  readonly notReady: readonly { readonly name: string }[];
  readonly parts: readonly { readonly name: string; readonly ready: boolean; readonly since: string }[];
}

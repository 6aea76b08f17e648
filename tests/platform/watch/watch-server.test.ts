// Health and metrics on their own port, requested by Prometheus and by a foreign page whose name resolves to this host.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Gauge, Registry } from 'prom-client';
import { request } from 'undici';
import type { ProgramVersion } from '../../../platform/process/program-version.ts';
import type { ComponentReadiness } from '../../../platform/watch/watch-answer.ts';
import { WatchServer } from '../../../platform/watch/watch-server.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

let server: WatchServer;
let parts: ComponentReadiness[];
let program: ProgramVersion;

const listen = (metricsFor: 'loopback' | 'everyone') => {
  const registry = new Registry();
  new Gauge({ name: 'things', help: 'Things', registers: [registry] }).set(7);
  const log = pino({ level: 'silent' });
  const readiness = async () => parts;
  return WatchServer.listen({ host: '127.0.0.1', port: 0, program, log, registry, metricsFor, readiness });
};

beforeEach(async () => {
  parts = [];
  program = { version: '1.2.3', commit: 'c0ffee' };
  server = await listen('loopback');
});
afterEach(() => server.stop());

async function ask(path: string, host = 'localhost', method: 'GET' | 'POST' = 'GET') {
  const { statusCode, body } = await request(`http://127.0.0.1:${server.port}${path}`, { method, headers: { host } });
  return { status: statusCode, text: await body.text() };
}

test('metrics are for this host, unless they are open to everyone', async () => {
  expect(await ask('/metrics')).toEqual({ status: 200, text: expect.stringMatching(/^things 7$/m) });
  expect((await ask('/metrics', 'elsewhere.test')).status).toBe(403);
  await server.stop();
  server = await listen('everyone');
  expect((await ask('/metrics', 'elsewhere.test')).status).toBe(200);
});

test('a required part that does not work makes the process not ready, and only this host sees the reason', async () => {
  expect(JSON.parse((await ask('/health/ready')).text)).toMatchObject({ ready: true });
  parts = [{ name: 'redis', ready: false, required: false, detail: 'gone' }];
  expect((await ask('/health/ready')).status).toBe(200);
  parts.push({ name: 'database', ready: false, detail: '192.0.2.7 refuses' });
  const here = await ask('/health/ready');
  expect([here.status, here.text]).toEqual([503, expect.stringContaining('192.0.2.7')]);
  const elsewhere = await ask('/health/ready', 'elsewhere.test');
  expect([elsewhere.status, elsewhere.text]).toEqual([503, expect.not.stringContaining('192.0.2.7')]);
  expect((await ask('/health/live')).status).toBe(200);
});

test('readiness has the version and the commit, for this host only, and omits an unknown commit', async () => {
  const here = JSON.parse((await ask('/health/ready')).text);
  expect(here).toEqual({ ready: true, version: '1.2.3', commit: 'c0ffee', notReady: [], parts: [] });
  const elsewhere = JSON.parse((await ask('/health/ready', 'elsewhere.test')).text);
  expect(elsewhere).toEqual({ ready: true, notReady: [], parts: [] });
  await server.stop();
  program = { version: '1.2.3', commit: undefined };
  server = await listen('loopback');
  expect(JSON.parse((await ask('/health/ready')).text)).not.toHaveProperty('commit');
});

test('all parts are named, those that work too, with the time since when', async () => {
  const partsOf = async (host?: string) => JSON.parse((await ask('/health/ready', host)).text).parts;
  parts = [{ name: 'database', ready: true, detail: '3 ms' }];
  const [works] = await partsOf();
  expect(works).toEqual({ name: 'database', ready: true, detail: '3 ms', since: expect.any(String) });
  expect(Math.abs(Date.now() - Date.parse(works.since))).toBeLessThan(60_000);
  expect(await partsOf()).toEqual([works]);
  expect(await partsOf('elsewhere.test')).toEqual([{ name: 'database', ready: true, since: works.since }]);
  parts = [{ name: 'database', ready: false, detail: 'gone' }];
  await waitFor('another millisecond', () => Date.now() > Date.parse(works.since));
  const [fails] = await partsOf();
  expect(Date.parse(fails.since)).toBeGreaterThan(Date.parse(works.since));
});

test('no other path exists', async () => {
  expect((await ask('/graphql')).status).toBe(404);
  expect((await ask('/metrics', 'localhost', 'POST')).status).toBe(405);
});

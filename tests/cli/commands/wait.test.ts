// `--wait`: until it is done and its write is on the standby; exit code 4 on a timeout.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand, startCommand } from './run-command.ts';

let server: GraphServer;
let folder: TemporaryFolder;
let looks: number;
const env = { TIDEGATE_TOKEN: goodToken };

beforeAll(async () => {
  server = await GraphServer.start();
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'password'), 'secret');
});
beforeEach(() => {
  looks = 0;
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const backend = (operatingStatus: string, message: string | null = null) => ({
  ...{
    id: 'id-fw',
    name: 'fw',
    version: 1,
    family: 'FIREWALL',
    ordinal: 1,
    driverName: 'd',
    site: null,
    host: 'h',
    port: 22,
  },
  ...{ enabled: true, operatingStatus, hostKeySha256: null, certificateSha256: null, presented: null },
  ...{ labels: [], circuit: { state: 'CLOSED', reason: null }, queue: { waiting: 0, inFlight: 0, holder: null } },
  health: { checkedAt: null, latencyMs: null, softwareVersion: null, message },
});
const payload = { backend: backend('UNKNOWN'), commit: { token: 'c1' }, userErrors: [] };
const replicated = (state: string, reason: string | null = null) => ({ replication: { state, reason } });
const backends = (args: { first: number; after: string | null }) => pageOf([{ id: 'id-fw', name: 'fw' }], args);
const update = ['backends', 'update', 'fw', '--site', 'ams1'];
const run = (args: string[]) => runCommand([...args, '--url', server.url], { env });

test('waits until the write is on the standby and a check has found the backend ONLINE', async () => {
  const states = ['PENDING', 'CONFIRMED'];
  server.answers = {
    backends,
    backendUpdate: () => payload,
    commit: () => replicated(states.shift() ?? 'CONFIRMED'),
    backend: () => {
      looks += 1;
      return backend(looks < 3 ? 'UNKNOWN' : 'ONLINE');
    },
  };
  const done = await run([...update, '--wait', '20']);
  expect([done.exitCode, done.stdout]).toEqual([0, expect.stringMatching(/^Operating +ONLINE$/m)]);
  expect([states, looks]).toEqual([[], 3]);
});

test('does not wait without --wait', async () => {
  server.answers = { backends, backendUpdate: () => payload };
  const done = await run(update);
  expect([done.exitCode, done.stdout]).toEqual([0, expect.stringMatching(/^Operating +UNKNOWN$/m)]);
});

test('exit code 4 with what is missing, after the timeout', async () => {
  server.answers = {
    backends,
    backendUpdate: () => payload,
    commit: () => replicated('NOT_REPLICATED'),
    backend: () => backend('OFFLINE', 'connection refused'),
  };
  const late = await run([...update, '--wait', '1']);
  expect([late.exitCode, late.stdout, late.stderr]).toEqual([
    ...[4, '', 'tidegate: not done within 1 s: fw is OFFLINE: connection refused\n'],
  ]);
  server.answers = {
    backends,
    backendDelete: () => payload,
    commit: () => replicated('PENDING', 'the standby is detached'),
  };
  const pending = await run(['backends', 'delete', 'fw', '--wait', '1']);
  expect([pending.exitCode, pending.stderr]).toEqual([4, expect.stringContaining('the standby is detached')]);
});

test('a lost write is a failure, whatever the time left', async () => {
  server.answers = { backends, backendDelete: () => payload, commit: () => replicated('LOST') };
  const lost = await run(['backends', 'delete', 'fw', '--wait', '20']);
  expect([lost.exitCode, lost.stderr]).toEqual([1, "tidegate: the write's replication is LOST\n"]);
});

test('does not wait for a disabled backend, which is never ONLINE', async () => {
  const disabled = { ...backend('UNKNOWN'), enabled: false };
  server.answers = {
    backends,
    backendUpdate: () => ({ ...payload, backend: disabled }),
    commit: () => replicated('CONFIRMED'),
    backend: () => disabled,
  };
  expect((await run(['backends', 'update', 'fw', '--disable', '--wait', '20'])).exitCode).toBe(0);
  expect(server.requests.some(({ input }) => (input as { enabled?: boolean })?.enabled === false)).toBe(true);
});

test('an operation: waits until its state is final; Ctrl-C ends it', async () => {
  const operation = (state: string) => ({
    ...{ id: 'op-1', name: 'rule.create', state, createdAt: '2026-01-31T12:00:00.000Z', finishedAt: null },
    ...{
      quietUntil: null,
      stateSource: null,
      settledBy: null,
      requestedBy: { name: 'cmp', kind: 'API_TOKEN' },
      wireCall: null,
      backend: null,
      cmpObject: null,
    },
    ...{ deviceError: null, evidence: [] },
  });
  server.answers = {
    relayOperation: () => {
      looks += 1;
      return operation(looks < 2 ? 'ACCEPTED' : 'SUCCEEDED');
    },
  };
  const done = await run(['operations', 'show', 'op-1', '--wait', '20']);
  expect([done.exitCode, done.stdout]).toEqual([0, expect.stringMatching(/^State +SUCCEEDED$/m)]);
  server.answers = {
    relayOperation: () => {
      // It has begun to wait when it has the answer.
      setTimeout(() => waiting.interrupt(), 300);
      return operation('UNKNOWN');
    },
  };
  const waiting = startCommand(['operations', 'show', 'op-1', '--wait', '3600', '--url', server.url], { env });
  expect([await waiting.exitCode, waiting.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
});

// The product with some subgraphs mounted, as a user has it: in one process with all others, or each role as a separate
// process behind a gateway. A subgraph's test sends the same requests to both.
// needs: system
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from '@jest/globals';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { allInOneConfig, startAllInOne } from '../../../compose/all-in-one.ts';
import { firstAccounts } from '../../../compose/first-accounts.ts';
import { ownersOf } from '../../../compose/owners.ts';
import { type RunningProcess, startProcess } from '../../../compose/process.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { readConfig } from '../../../platform/process/config.ts';
import type { SubgraphRow } from '../../../platform/process/subgraph-row.ts';
import { testEgressSettings } from '../machine/egress.ts';
import { freePort } from '../machine/free-port.ts';
import { temporaryFolder } from '../machine/temporary-folder.ts';
import { systemPlace } from './running-system.ts';

export interface MountedGraph {
  /** URL without a path. */
  readonly url: string;
  /** API token of an operator of the project `default`. */
  readonly token: string;
  readonly processes: readonly RunningProcess[];
  stop(): Promise<void>;
}

interface Mounting {
  /** All subgraphs, including system. */
  readonly rows: readonly SubgraphRow[];
  readonly settings?: Readonly<Record<string, string>>;
}

const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });

export async function mountInOneProcess({ rows, settings }: Mounting): Promise<MountedGraph> {
  const folder = await temporaryFolder();
  const dataPath = join(folder.path, 'data');
  const flags = { 'listen.port': String(await freePort()), 'log.level': 'silent', ...testEgressSettings, ...settings };
  const running = await startAllInOne({
    config: allInOneConfig({ flags }, rows),
    ...{ dataPath, withLab: false, signal: new AbortController().signal, rows },
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  return {
    url: running.process.url ?? '',
    token: await accountsIn(running.process, dataPath),
    processes: [running.process],
    async stop() {
      await running.stop();
      await folder.remove();
    },
  };
}

/** Serves `subgraphs` beside system, with `roles` as further roles, a worker and a gateway. */
export async function mountAsProcesses(
  mounting: Mounting & { readonly subgraphs: readonly string[]; readonly roles?: readonly string[] },
): Promise<MountedGraph> {
  const { rows, settings, subgraphs, roles = [] } = mounting;
  const place = await systemPlace();
  await migrate(place.database.connection, ownersOf(subgraphs, rows));
  const start = (role: string, own: Readonly<Record<string, string>> = {}) =>
    startProcess(readConfig({ flags: { ...place.settings, ...settings, ...own, roles: role } }, rows), log, { rows });
  const processes: RunningProcess[] = [];
  const urls: Record<string, string> = { 'listen.port': '0' };
  for (const name of ['system', ...subgraphs]) {
    const port = await freePort();
    urls[`subgraphs.${name}Url`] = `http://127.0.0.1:${port}`;
    processes.push(await start(name, { [`internal.${name}Port`]: String(port) }));
  }
  for (const role of ['worker', ...roles]) processes.push(await start(role));
  const gateway = await start('gateway', urls);
  const [system] = processes;
  if (system === undefined) throw new Error('no process');
  return {
    url: gateway.url ?? '',
    token: await accountsIn(system, join(place.folder.path, 'accounts')),
    processes: [...processes, gateway],
    async stop() {
      for (const process of [gateway, ...processes.reverse()]) await process.stop();
      await place.remove();
    },
  };
}

async function accountsIn({ access }: RunningProcess, folder: string): Promise<string> {
  if (access === undefined) throw new Error('the process has no role system');
  await mkdir(folder, { recursive: true });
  return (await firstAccounts(access, folder)).token;
}

/** The data of an answer without errors. */
export async function ask<Data>(
  { url, token }: Pick<MountedGraph, 'url' | 'token'>,
  query: string,
  variables: object = {},
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data: Data; errors?: unknown };
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

/** A client for subscriptions, which the caller disposes of. */
export function subscriber({ url, token }: Pick<MountedGraph, 'url' | 'token'>): Client {
  const connectionParams = { authorization: `Bearer ${token}` };
  return createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, connectionParams });
}

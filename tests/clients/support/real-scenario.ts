// The tasks of `tidegate check-client`, at a real installation: a call during which the relay restarts, a wait for a call in progress, and
// a stream whose gateway restarts. The clients' own programs carry them out.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect } from '@jest/globals';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import type { Report } from './check-tasks.ts';
import type { RelayHost } from './relay-host.ts';

const hurry = { firstPauseMs: 50, longestPauseMs: 500, silentAfterMs: 75_000 };

/** `client`: does the tasks at an address until there are none left. */
export async function runScenario(host: RelayHost, client: (origin: string) => Promise<void>): Promise<void> {
  const backendId = await host.register('real');
  const tasks = await TaskServer.start({ url: `${host.origin}/graphql`, deadlineMs: 60_000, hurry });
  const done = client(tasks.origin);
  // A client that fails ends the wait for its report.
  const give = (task: object) =>
    Promise.race([tasks.give(task), done.then(() => Promise.reject(new Error('the client ended')))]);
  try {
    await callThroughRestart(host, give);
    await waitForCall(host, give);
    await followThroughRestart(host, backendId, give);
    tasks.end();
    await done;
  } finally {
    tasks.close();
    await done.catch(() => undefined);
  }
}

type Give = (task: object) => Promise<Report>;

/** One call on the device, and its outcome. The client logs in with a password. */
async function callThroughRestart(host: RelayHost, give: Give): Promise<void> {
  const address = '10.9.0.1';
  host.device.hold();
  const report = give({
    ...{ do: 'call', login: await host.login, mutation: 'firewallAddressSetElementAdd', idempotencyKey: 'real-1' },
    input: { backend: { name: 'real' }, set: 'blocked', address },
  });
  await Promise.race([report, waitFor('the device to be told', () => host.device.timesTold(address) === 1)]);
  const stopped = host.stopRelay();
  host.device.release();
  await stopped;
  await host.startRelay();
  expect(await report).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(host.device.timesTold(address)).toBe(1);
}

async function waitForCall(host: RelayHost, give: Give): Promise<void> {
  host.device.hold();
  const { made } = await host.ask<{ made: { operation: { id: string; state: string } } }>(
    `mutation ($input: FirewallAddressSetElementAddInput!) {
      made: firewallAddressSetElementAdd(input: $input) { operation { id state } } }`,
    { input: { backend: { name: 'real' }, set: 'blocked', address: '10.9.0.2', idempotencyKey: 'real-2', waitMs: 0 } },
  );
  expect(made.operation.state).not.toBe('SUCCEEDED');
  const login = { token: host.token };
  expect(await give({ do: 'wait', login, id: made.operation.id, timeoutMs: 500 })).toMatchObject({ outcome: 'OPEN' });
  const report = give({ do: 'wait', login, id: made.operation.id, timeoutMs: 60_000 });
  host.device.release();
  expect(await report).toMatchObject({ outcome: 'SUCCEEDED' });
}

/** The delivered changes equal the history, in the same order. */
async function followThroughRestart(host: RelayHost, backendId: string, give: Give): Promise<void> {
  const update = (change: object) =>
    host.ask('mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code } } }', {
      input: { id: backendId, ...change },
    });
  const { backend: before } = await readBackend(host, backendId);
  const report = give({
    ...{
      do: 'follow',
      login: { token: host.token },
      subjectId: backendId,
      until: null,
      untilStatus: 'DISABLED',
      consumerPauseMs: 0,
    },
    snapshot: { query: backendQuery, variables: { id: backendId } },
  });
  await waitFor('a stream', async () => (await streamsOf(host)) > 0);
  await update({ site: 'north' });
  await host.restartGateway();
  await update({ site: 'south' });
  await update({ enabled: false });
  const { saw = [] } = await report;
  const { statusHistory } = await host.ask<{ statusHistory: { nodes: HistoryEvent[] } }>(
    'query ($id: ID!) { statusHistory(subjectId: $id, first: 100, orderBy: OLDEST) { nodes { id to subjectVersion } } }',
    { id: backendId },
  );
  const after = statusHistory.nodes.filter(({ subjectVersion }) => subjectVersion > before.version);
  const followed = after.slice(0, after.findIndex(({ to }) => to === 'DISABLED') + 1);
  expect(followed.length).toBeGreaterThanOrEqual(3);
  expect(saw).toEqual([`snapshot ${before.version}`, ...followed.map(({ id }) => id)]);
}

interface HistoryEvent {
  readonly id: string;
  readonly to: string;
  readonly subjectVersion: number;
}

const backendQuery = 'query ($id: ID!) { backend(id: $id) { id version } }';

function readBackend(host: RelayHost, id: string): Promise<{ backend: { version: number } }> {
  return host.ask(backendQuery, { id });
}

async function streamsOf(host: RelayHost): Promise<number> {
  const text = await (await fetch(`${host.origin}/metrics`)).text();
  return Number(/^tidegate_gateway_event_streams(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Hands out one task after the other. The client waits for the next one. */
class TaskServer {
  readonly #server = createServer((request, response) => {
    const respond = async () => {
      if (request.method === 'GET') {
        response.end(JSON.stringify(await this.#next.promise));
        return;
      }
      const report = (await json(request)) as Report;
      this.#next = Promise.withResolvers();
      response.end('{}');
      this.#report.resolve(report);
    };
    respond().catch((error: unknown) => response.destroy(error as Error));
  });
  readonly #common: object;
  #next = Promise.withResolvers<object>();
  #report = Promise.withResolvers<Report>();

  private constructor(common: object) {
    this.#common = common;
  }

  static async start(common: object): Promise<TaskServer> {
    const server = new TaskServer(common);
    await once(server.#server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  give(task: object): Promise<Report> {
    this.#report = Promise.withResolvers();
    this.#next.resolve({ task: 'real', ...this.#common, ...task });
    return this.#report.promise;
  }

  end(): void {
    this.#next.resolve({ done: true });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

// Clients with one mistake each. The check finds the mistake and describes it.
// needs: load
import { expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { carryOut } from '../../../clients/typescript/relay-client.ts';
import { carryOutTasks, type Report, type Task } from '../../clients/support/check-tasks.ts';
import { verdictsOn } from '../../clients/support/checked-client.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

type Doer = (task: Task) => Promise<Report>;

/** The faults that the check finds in one row with this client. */
async function faultsIn(row: string, doer: Doer): Promise<string> {
  const [verdict] = await verdictsOn((origin) => carryOutTasks(origin, doer), [row]);
  return verdict?.faults.join('; ') ?? '';
}

const tokenOf = ({ login }: Task) => ('token' in login ? login.token : '');

async function post(task: Task, query: string, variables: object, more: RequestInit = {}) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(task)}` };
  const response = await fetch(task.url, {
    ...{ method: 'POST', headers, body: JSON.stringify({ query, variables }) },
    ...more,
  });
  return (await response.json()) as {
    data?: Record<string, { operation?: { state: string } | null; userErrors: { retryAfterMs: number }[] }>;
  };
}

function send(task: Task, key = task.idempotencyKey, more: object = {}) {
  const input = { ...task.input, idempotencyKey: key, ...more };
  const query = `mutation ($input: FirewallAddressSetElementAddInput!) {
    made: firewallAddressSetElementAdd(input: $input) { operation { state } userErrors { code retryAfterMs } } }`;
  return post(task, query, { input });
}

const succeeded = { outcome: 'SUCCEEDED' };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test.each<[string, string, Doer, RegExp]>([
  [
    'another key after a lost answer',
    'answer-lost',
    async (task) => {
      await send(task).catch(() => undefined);
      await pause(20);
      await send(task, 'another-key');
      return succeeded;
    },
    /sent the key "another-key".*carried out 2 times/,
  ],
  [
    'another input with the same key',
    'answer-lost',
    async (task) => {
      await send(task).catch(() => undefined);
      await pause(20);
      await send(task, task.idempotencyKey, { address: '192.0.2.8' });
      return succeeded;
    },
    /another input than the task's/,
  ],
  [
    'a lost answer taken for a failure',
    'answer-lost',
    async (task) => {
      await send(task).catch(() => undefined);
      return { outcome: 'FAILED' };
    },
    /reports FAILED; it is SUCCEEDED; sent 1 requests of the mutation; it is 2/,
  ],
  [
    'again at once after a cut',
    'cut-before-the-request',
    async (task) => {
      for (const _ of [1, 2]) await send(task).catch(() => undefined);
      await send(task);
      return succeeded;
    },
    /sent again at once/,
  ],
  [
    'again before retryAfterMs',
    'busy',
    async (task) => {
      for (const _ of [1, 2, 3]) await send(task);
      return succeeded;
    },
    /before the 400 ms that the answer asked for/,
  ],
  [
    'an unknown code repeated although it says NEVER',
    'unknown-code-to-stop',
    async (task) => {
      await send(task);
      await pause(20);
      await send(task);
      return succeeded;
    },
    /repeated a call that was refused for good, until it was carried out.*reports SUCCEEDED; it is REFUSED/,
  ],
  [
    'a redirect followed',
    'redirect',
    async (task) => {
      await send(task).catch(() => undefined);
      await pause(20);
      await send(task);
      return succeeded;
    },
    /followed a redirect to another origin/,
  ],
  [
    'an operation that the graph does not have',
    'device-refuses',
    async (task) => {
      await post(task, '{ backends { nodes { colour } } }', {});
      await send(task);
      return { outcome: 'FAILED' };
    },
    /the graph refuses: Cannot query field "colour"/,
  ],
  [
    'a query that is an object',
    'device-refuses',
    async (task) => {
      await post(task, { query: '{ statusCursor }' } as unknown as string, {});
      await send(task);
      return { outcome: 'FAILED' };
    },
    /the graph refuses: `query` is an object; it must be text/,
  ],
  [
    'an UNKNOWN call repeated',
    'unknown-then-settled',
    async (task) => {
      await send(task);
      await send(task);
      return { outcome: 'SUCCEEDED' };
    },
    /reports SUCCEEDED; it is UNKNOWN/,
  ],
  [
    'a wait that ends too early',
    'wait-too-long',
    async () => ({ outcome: 'OPEN' }),
    /gave up after \d+ ms; its timeout was 1000 ms; sent 0 reads/,
  ],
  [
    'the snapshot before the cursor',
    'event-at-the-snapshot',
    (task) => followOnce(task, [snapshotQuery, cursorQuery]),
    /passed on snapshot 0, event 2; it is snapshot 1/,
  ],
  [
    'cursor and snapshot in one request',
    'event-at-the-snapshot',
    (task) => followOnce(task, ['query ($id: ID!) { statusCursor backend(id: $id) { version } }']),
    /in one request/,
  ],
  [
    'no cursor after a restart',
    'gateway-restarted',
    async (task) => {
      const first = await followOnce(task, [cursorQuery, snapshotQuery], 2);
      const saw = [...(first.saw ?? [])];
      for (const _ of [1, 2]) {
        await pause(20);
        await subscribe(task, null, 1).catch(() => []);
      }
      await pause(20);
      return { saw: [...saw, ...(await subscribe(task, null, 1))] };
    },
    /passed on snapshot 0, event 1, event 2, event 5; it is/,
  ],
  [
    'everything read ahead of a slow consumer',
    'slow-consumer',
    async (task) => {
      const report = await followOnce(task, [cursorQuery, snapshotQuery], 64);
      await pause(task.consumerPauseMs);
      return report;
    },
    /MiB while its consumer was busy/,
  ],
  [
    'a consumer that has no pause',
    'slow-consumer',
    // On a busy machine, all 64 may take longer than the pause.
    (task) => followOnce(task, [cursorQuery, snapshotQuery], 1),
    /its consumer has a pause of 2000 ms/,
  ],
])('%s', async (_mistake, row, doer, fault) => {
  // On a busy machine, even a client that does not pause is slow.
  let faults = '';
  const isFound = async () => {
    faults = await faultsIn(row, doer);
    return fault.test(faults);
  };
  await waitFor('the fault', isFound).catch(() => undefined);
  expect(faults).toMatch(fault);
});

const cursorQuery = '{ statusCursor }';
const snapshotQuery = 'query ($id: ID!) { backend(id: $id) { version } }';

/** Queries in turn, then one subscription after the cursor that they returned. */
async function followOnce(task: Task, queries: readonly string[], count = 1): Promise<Report> {
  let cursor: string | null = null;
  const saw: string[] = [];
  for (const query of queries) {
    const variables = query.includes('$id') ? task.snapshot.variables : {};
    const { data } = (await post(task, query, variables)) as {
      data?: { statusCursor?: string; backend?: { version: number } };
    };
    cursor = data?.statusCursor ?? cursor;
    if (data?.backend !== undefined) saw.push(`snapshot ${data.backend.version}`);
  }
  return { saw: [...saw, ...(await subscribe(task, cursor, count))] };
}

/** The ids of this many changes, sent over a WebSocket as fast as possible. */
async function subscribe(task: Task, after: string | null, count: number): Promise<string[]> {
  const client = createClient({
    url: task.url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tokenOf(task)}` },
    retryAttempts: 0,
  });
  const ids: string[] = [];
  const query = 'subscription ($after: String) { statusChanges(after: $after) { change { id } } }';
  try {
    for await (const { data } of client.iterate<{ statusChanges: { change: { id: string } | null } }>({
      query,
      variables: { after },
    })) {
      const id = data?.statusChanges.change?.id;
      if (id !== undefined) ids.push(id);
      if (ids.length === count) break;
    }
    return ids;
  } finally {
    await client.dispose();
  }
}

test('a missing report of a task, and a malformed one', async () => {
  const [verdict] = await verdictsOn(
    async (origin) => {
      const task = (await (await fetch(`${origin}/next`)).json()) as Task;
      const answerTo = async (report: object) => {
        const response = await fetch(`${origin}/report`, { method: 'POST', body: JSON.stringify(report) });
        return `${response.status} ${await response.text()}`;
      };
      expect(await answerTo({ task: 'busy/9', outcome: 'SUCCEEDED' })).toMatch(/^409 .*not the present task/s);
      expect(await answerTo({ task: task.task, result: 'SUCCEEDED' })).toMatch(/^400 .*has no \\"result\\"/s);
      expect(await answerTo({ task: task.task, saw: [1] })).toMatch(/^400 .*list of texts/s);
      const { kind } = await carryOut({ url: task.url, token: tokenOf(task) }, task, task.hurry);
      expect(await answerTo({ task: task.task, outcome: kind })).toMatch(/^200 .*"faults": \[\]/s);
      expect(await (await fetch(`${origin}/next`)).json()).toEqual({ done: true });
    },
    ['answer-lost'],
  );
  expect(verdict).toEqual({ row: 'answer-lost', isPassed: true, faults: [] });
});

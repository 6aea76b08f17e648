// The check also covers subscriptions over graphql-ws: a client that uses it passes the rows of streams.
import { expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { carryOutTasks, type Report, type Task } from '../support/check-tasks.ts';
import { verdictsOn } from '../support/checked-client.ts';

const rows = [
  'event-at-the-snapshot',
  'gateway-restarted',
  'cut-stream',
  'silent-stream',
  'cursor-expired',
  'rights-change',
];
const snapshotCodes = ['CURSOR_EXPIRED', 'FORBIDDEN'];

test('streams over graphql-ws', async () => {
  const passed = rows.map((row) => ({ row, isPassed: true, faults: [] }));
  expect(await verdictsOn((origin) => carryOutTasks(origin, follow), rows)).toEqual(passed);
});

/** The smallest correct client: a socket for each subscription, and a snapshot after each code that requires one. */
async function follow(task: Task): Promise<Report> {
  const saw: string[] = [];
  let cursor: string | undefined;
  while (saw.at(-1) !== task.until) {
    if (cursor === undefined) {
      cursor = (await query<{ statusCursor: string }>(task, '{ statusCursor }', {})).statusCursor;
      const { backend } = await query<{ backend: { version: number } }>(
        task,
        task.snapshot.query,
        task.snapshot.variables,
      );
      saw.push(`snapshot ${backend.version}`);
    }
    const ended = await subscribe(task, cursor, saw);
    cursor = snapshotCodes.includes(ended.code) ? undefined : ended.cursor;
    await new Promise((resolve) => setTimeout(resolve, task.hurry.firstPauseMs));
  }
  return { saw };
}

async function query<Data>({ url, login }: Task, text: string, variables: object): Promise<Data> {
  const authorization = `Bearer ${'token' in login ? login.token : ''}`;
  const body = JSON.stringify({ query: text, variables });
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization, 'content-type': 'application/json' },
  });
  return ((await response.json()) as { data: Data }).data;
}

async function subscribe(task: Task, after: string, saw: string[]): Promise<{ cursor: string; code: string }> {
  const { login } = task;
  let cursor = after;
  let alive: NodeJS.Timeout | undefined;
  const client = createClient({
    url: task.url.replace('http', 'ws'),
    connectionParams: { authorization: `Bearer ${'token' in login ? login.token : ''}` },
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        const sign = () => {
          clearTimeout(alive);
          alive = setTimeout(() => this.terminate(), task.hurry.silentAfterMs);
        };
        this.on('ping', sign)
          .on('message', sign)
          .on('close', () => clearTimeout(alive));
      }
    },
  });
  const text = 'subscription ($after: String) { statusChanges(after: $after) { cursor change { id } } }';
  try {
    type Item = { statusChanges: { cursor: string; change: { id: string } | null } };
    for await (const { data, errors } of client.iterate<Item>({ query: text, variables: { after } })) {
      if (data == null) return { cursor, code: String(errors?.[0]?.extensions?.code) };
      cursor = data.statusChanges.cursor;
      if (data.statusChanges.change !== null) saw.push(data.statusChanges.change.id);
      if (saw.at(-1) === task.until) break;
    }
  } catch (error) {
    const [first] = Array.isArray(error) ? (error as { extensions?: { code?: string } }[]) : [];
    const isRights = (error as { reason?: string }).reason?.startsWith('The rights') === true;
    return { cursor, code: isRights ? 'FORBIDDEN' : (first?.extensions?.code ?? '') };
  } finally {
    await client.dispose();
  }
  return { cursor, code: '' };
}

// Blocks an address for a tenant at a firewall, and follows the call to its end, through lost answers and restarts.
// usage: node block-address.ts URL TOKEN_FILE TENANT ADDRESS         Node 22 or later, without packages
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [url = '', tokenFile = '', tenant = '', address = ''] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;

const block = `mutation ($input: FirewallAddressSetElementAddInput!) { firewallAddressSetElementAdd(input: $input) {
  operation { id state } userErrors { code message retry retryAfterMs } } }`;
const show = 'query ($id: ID!) { relayOperation(id: $id) { id state deviceError { code message } } }';
const follow = `subscription ($tenant: CmpObjectInput!, $after: String) { statusChanges(cmpObject: $tenant, after: $after) {
  cursor change { kind subjectId from to reason } } }`;
const final = ['SUCCEEDED', 'FAILED', 'REJECTED', 'UNKNOWN'];
// The request may or may not have been carried out: the same key tells (docs/errors.md).
const again = [
  ...['NO_ANSWER', 'RATE_LIMITED', 'BUSY', 'UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE', 'DISK_FULL', 'INTERNAL'],
  ...['OUTCOME_UNCERTAIN', 'OUTCOME_NOT_RECORDED', 'OUTCOME_NOT_READ'],
];
const resync = ['CURSOR_EXPIRED', 'RESYNC_REQUIRED', 'INVALID_CURSOR'];
const silenceMs = 60_000;

interface Fault {
  readonly message: string;
  readonly extensions: { readonly code: string; readonly retryAfterMs?: number; readonly cursor?: string };
}
interface Operation {
  readonly id: string;
  readonly state: string;
}
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retry: string;
  readonly retryAfterMs: number | null;
}
interface Change {
  readonly kind: string;
  readonly subjectId: string;
  readonly from: string | null;
  readonly to: string;
}
interface Answer<Data> {
  readonly data?: Data;
  readonly errors?: readonly Fault[];
}

/** The data of the answer. Sends the same request again until there is one. */
async function ask<Data>(query: string, variables: object, deadlineMs = 120_000): Promise<Data> {
  const end = Date.now() + deadlineMs;
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
    const { data, errors } = await post<Data>(query, variables);
    const [error] = errors ?? [];
    if (data !== undefined && error === undefined) return data;
    const { code, retryAfterMs } = error?.extensions ?? { code: 'NO_ANSWER' };
    if (!again.includes(code) || Date.now() > end) throw new Error(`${code}: ${error?.message}`);
    const waitMs = retryAfterMs ?? pauseMs;
    if (code === 'NO_ANSWER') console.error(`no answer from ${url} (${error?.message}); again in ${waitMs / 1000} s`);
    await sleep(waitMs);
  }
}

async function post<Data>(query: string, variables: object): Promise<Answer<Data>> {
  try {
    const headers = { authorization, 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(60_000);
    const response = await fetch(url, { method: 'POST', headers, signal, body: JSON.stringify({ query, variables }) });
    if (response.headers.get('content-type')?.includes('json') === true) return (await response.json()) as Answer<Data>;
    return noAnswer(`HTTP ${response.status}`, Number(response.headers.get('retry-after')));
  } catch (error) {
    const { message, cause } = error as Error & {
      readonly cause?: { readonly code?: string; readonly message?: string };
    };
    return noAnswer(cause?.code ?? cause?.message ?? message);
  }
}

/** As an error of the graph. A Retry-After that is a date is left out. */
function noAnswer(message: string, retryAfterSeconds = 0): Answer<never> {
  const wait = retryAfterSeconds > 0 ? { retryAfterMs: retryAfterSeconds * 1000 } : {};
  return { errors: [{ message, extensions: { code: 'NO_ANSWER', ...wait } }] };
}

/** The key is made from the task, so that this program may die and start again at any moment. */
async function blocked(): Promise<Operation> {
  const input = {
    ...{ idempotencyKey: `block-${tenant}-${address}`, backend: { name: 'lab-firewall' }, set: 'blocked', address },
    ...{ cmpObject: { type: 'tenant', externalId: tenant }, waitMs: 0 },
  };
  for (;;) {
    const answer = await ask<{ firewallAddressSetElementAdd: { operation: Operation; userErrors: Refusal[] } }>(block, {
      input,
    });
    const { operation, userErrors } = answer.firewallAddressSetElementAdd;
    const [error] = userErrors;
    if (error === undefined) return operation;
    if (error.retry !== 'SAME_KEY') throw new Error(`${error.code}: ${error.message}`);
    await sleep(error.retryAfterMs ?? 1000);
  }
}

/** The tenant's status changes. Undefined: some may be missing, so read again what you show. */
async function* changes(from: string): AsyncGenerator<Change | undefined> {
  let after = from;
  for (;;) {
    for await (const { data, errors } of items(after)) {
      const { code, cursor } = errors?.[0]?.extensions ?? {};
      // One event can't be read, and the stream goes on.
      if (cursor !== undefined) {
        after = cursor;
        yield undefined;
        continue;
      }
      if (code !== undefined && resync.includes(code)) {
        after = (await ask<{ statusCursor: string }>('{ statusCursor }', {})).statusCursor;
        yield undefined;
      }
      if (data == null) break;
      after = data.statusChanges.cursor;
      if (data.statusChanges.change !== null) yield data.statusChanges.change;
    }
    await sleep(1000);
  }
}

type Item = Answer<{ readonly statusChanges: { readonly cursor: string; readonly change: Change | null } }>;

/** One socket of the protocol graphql-transport-ws, until it ends. */
async function* items(after: string): AsyncGenerator<Item> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  const queue: (Item | Error | undefined)[] = [];
  let wake = () => {};
  const put = (item: Item | Error | undefined) => {
    queue.push(item);
    wake();
  };
  const send = (message: object) => socket.send(JSON.stringify(message));
  let watchdog = setTimeout(() => socket.close(), silenceMs);
  socket.onopen = () => send({ type: 'connection_init', payload: { authorization } });
  socket.onmessage = ({ data }) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), silenceMs);
    const message = JSON.parse(String(data)) as { type: string; payload: unknown };
    const variables = { tenant: { type: 'tenant', externalId: tenant }, after };
    if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: { query: follow, variables } });
    else if (message.type === 'ping') send({ type: 'pong' });
    else if (message.type === 'next') put(message.payload as Item);
    else if (message.type === 'error') put({ errors: message.payload as Fault[] });
  };
  // 4403: the credential is not accepted. Any other end is followed by another socket.
  socket.onclose = ({ code, reason }) => put(code === 4403 ? new Error(reason) : undefined);
  socket.onerror = () => {};
  try {
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const item = queue.shift();
      if (item === undefined) return;
      if (item instanceof Error) throw item;
      yield item;
    }
  } finally {
    clearTimeout(watchdog);
    socket.close();
  }
}

const { statusCursor } = await ask<{ statusCursor: string }>('{ statusCursor }', {});
let operation = await blocked();
if (!final.includes(operation.state)) {
  for await (const change of changes(statusCursor)) {
    if (change?.kind === 'relayOperation.state') console.log(change.to);
    if (change === undefined || change.subjectId === operation.id)
      operation = (await ask<{ relayOperation: Operation }>(show, { id: operation.id })).relayOperation;
    if (final.includes(operation.state)) break;
  }
}
console.log(operation.id, operation.state);

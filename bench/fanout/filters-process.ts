// Many subscriptions of one user over few sockets, each with its own filter or all with the same; all of them receive every
// event. The gateway is measured, so these clients do as little as possible: no library, and no check of the content.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { allEventKinds } from '../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { answerParent } from '../support/child.ts';
import { eventKind } from './operations.ts';

export type FiltersOrder =
  | {
      readonly do: 'start';
      readonly url: string;
      readonly token: string;
      readonly count: number;
      readonly filters: number;
    }
  /** Waits until every subscription has received this many events in total; false when they do not arrive. */
  | { readonly do: 'wait'; readonly events: number; readonly withinMs: number }
  | { readonly do: 'stop' };

const perSocket = 50;
const startedWithinMs = 50_000;
const query = `subscription Changes($kinds: [String!]) {
  statusChanges(kinds: $kinds) { cursor change { id changedAt kind subjectVersion from to reason project { id name } subject { id ... on Project { name description } } } }
}`;

let sockets: WebSocket[] = [];
let begun = 0;
let changes = 0;
let wanted = 0;
let fault: string | undefined;

/** The kind of the benchmark's events, and some kinds that it does not write: all these filters match the same events. */
function kindsOf(filter: number): readonly string[] {
  const others = Object.keys(allEventKinds(subgraphRows)).filter((kind) => kind !== eventKind);
  if (2 ** others.length < filter) throw new Error('there are too few kinds of events for so many filters');
  return [eventKind, ...others.filter((_kind, bit) => Math.floor(filter / 2 ** bit) % 2 === 1)];
}

async function open(url: string, token: string, filters: readonly number[]): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text.includes('"type":"next"')) {
        if (text.includes('"change":null')) begun += 1;
        else changes += 1;
      } else if (text.includes('"type":"connection_ack"')) resolve();
      else if (text.includes('"type":"ping"')) socket.send('{"type":"pong"}');
      else fault ??= text;
    });
  });
  filters.forEach((filter, index) => {
    const payload = { query, variables: { kinds: kindsOf(filter) } };
    socket.send(JSON.stringify({ id: String(index), type: 'subscribe', payload }));
  });
}

async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!holds() && fault === undefined && performance.now() < deadlineMs) await sleep(5);
  if (fault !== undefined) throw new Error(`a subscription failed: ${fault}`);
  return holds();
}

async function start({ url, token, count, filters }: Extract<FiltersOrder, { do: 'start' }>): Promise<void> {
  wanted = count;
  const all = Array.from({ length: count }, (_, index) => index % filters);
  for (let from = 0; from < count; from += perSocket) await open(url, token, all.slice(from, from + perSocket));
  if (!(await until(() => begun >= count, startedWithinMs))) throw new Error(`only ${begun} of ${count} have begun`);
}

async function stop(): Promise<void> {
  for (const socket of sockets) socket.terminate();
  sockets = [];
  [begun, changes, wanted] = [0, 0, 0];
}

answerParent(async (order: FiltersOrder): Promise<unknown> => {
  if (order.do === 'start') return start(order);
  if (order.do === 'stop') return stop();
  return until(() => changes >= order.events * wanted, order.withinMs);
});

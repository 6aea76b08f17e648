// Clients that do as little as possible, because only the gateway should be measured. They use no library, and do not check the content of
// events. Every subscription of a process receives the same events.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { answerParent } from '../../measure/child.ts';
import type { BareFollowed, BareOrder, BareSocket } from './bare-clients.ts';

const opensAtOnce = 20;
const beginsWithinMs = 110_000;
const changedAtText = /"changedAt":"([^"]+)"/;

let sockets: WebSocket[] = [];
let wanted = 0;
let begun = 0;
let changes = 0;
let cursor = '';
let agesMs: number[] | undefined;
let fault: string | undefined;

function receive(socket: WebSocket, text: string): void {
  if (text.includes('"type":"ping"')) {
    socket.send('{"type":"pong"}');
    return;
  }
  if (!text.includes('"type":"next"') || text.includes('"errors":')) {
    fault ??= text;
    return;
  }
  if (text.includes('"change":null')) {
    begun += 1;
    cursor = /"cursor":"([^"]+)"/.exec(text)?.[1] ?? cursor;
    return;
  }
  changes += 1;
  if (agesMs !== undefined) agesMs.push(Date.now() - Date.parse(changedAtText.exec(text)?.[1] ?? ''));
}

async function open(url: string, query: string, { token, subscriptions }: BareSocket): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, reason) => {
      if (!sockets.includes(socket)) return;
      fault ??= `a socket was closed: ${code} ${reason}`;
      reject(new Error(fault));
    });
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text.includes('"type":"connection_ack"')) resolve();
      else receive(socket, text);
    });
  });
  for (const [index, variables] of subscriptions.entries())
    socket.send(JSON.stringify({ id: String(index), type: 'subscribe', payload: { query, variables } }));
}

async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!holds() && fault === undefined && performance.now() < deadlineMs) await sleep(5);
  if (fault !== undefined) throw new Error(`a subscription failed: ${fault}`);
  return holds();
}

async function start({ url, query, sockets: plans, isPast, timed }: BareOrder & { do: 'start' }): Promise<void> {
  wanted = plans.reduce((sum, { subscriptions }) => sum + subscriptions.length, 0);
  agesMs = timed === true ? [] : undefined;
  const queue = [...plans];
  const opener = async (): Promise<void> => {
    for (let plan = queue.pop(); plan !== undefined; plan = queue.pop()) await open(url, query, plan);
  };
  await Promise.all(Array.from({ length: opensAtOnce }, opener));
  // A stream from a cursor begins with the events after it.
  if (isPast === true) return;
  if (!(await until(() => begun >= wanted, beginsWithinMs))) throw new Error(`only ${begun} of ${wanted} have begun`);
}

function stop(): void {
  const open = sockets;
  sockets = [];
  for (const socket of open) socket.terminate();
  [begun, changes, wanted] = [0, 0, 0];
}

answerParent(async (order: BareOrder): Promise<boolean | BareFollowed | undefined> => {
  switch (order.do) {
    case 'start':
      await start(order);
      return undefined;
    case 'stop':
      stop();
      return undefined;
    case 'wait':
      return until(() => changes >= order.events * wanted, order.withinMs);
    case 'tell':
      if (fault !== undefined) throw new Error(`a subscription failed: ${fault}`);
      return { changes, cursor, agesMs: agesMs ?? [] };
  }
});

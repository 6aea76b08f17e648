// A server that only writes a prepared frame to the sockets of a stream, with the same WebSocket library: the minimum cost of a delivery
// for any gateway.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { answerParent } from '../../measure/child.ts';

export type FloorOrder =
  | { readonly do: 'start' }
  | { readonly do: 'send'; readonly events: number; readonly perSecond: number; readonly streams: number };

/** As long as the gateway's frame for the same event. */
const change = JSON.stringify({
  cursor: 'c'.repeat(96),
  change: {
    id: '00000000-0000-4000-8000-000000000000',
    changedAt: '2026-01-01T00:00:00.000Z',
    kind: 'project.changed',
    subjectVersion: 1_000,
    from: 'ACTIVE',
    to: 'ACTIVE',
    reason: 'a check of the benchmark',
  },
});
const frame = `{"id":"0","type":"next","payload":{"data":{"statusChanges":${change}}}}`;
const first = '{"id":"0","type":"next","payload":{"data":{"statusChanges":{"cursor":"","change":null}}}}';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const sockets: WebSocket[] = [];
server.on('connection', (socket) => {
  sockets.push(socket);
  socket.once('close', () => sockets.splice(sockets.indexOf(socket), 1));
  socket.on('message', (data) =>
    socket.send(String(data).includes('connection_init') ? '{"type":"connection_ack"}' : first),
  );
});

async function send({ events, perSecond, streams }: FloorOrder & { do: 'send' }): Promise<void> {
  const startMs = performance.now();
  for (let event = 0; event < events; event += 1) {
    const waitMs = startMs + (event * 1000) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    for (let index = event % streams; index < sockets.length; index += streams) sockets[index]?.send(frame);
  }
}

answerParent(async (order: FloorOrder): Promise<string | undefined> => {
  if (order.do === 'send') {
    await send(order);
    return undefined;
  }
  if (server.address() === null) await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

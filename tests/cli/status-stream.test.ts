// A change that the server can't complete does not end the stream of a command, and is not repeated.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { followStatus } from '../../cli/status-stream.ts';

test('the stream continues after a change that could not be completed, and reports it', async () => {
  const asked: unknown[] = [];
  const payloads = [
    { data: { statusChanges: { cursor: 'c1', kind: 'CHECKPOINT', change: null } } },
    { data: null, errors: [{ message: 'A bug.', extensions: { code: 'INTERNAL', cursor: 'c2' } }] },
    { data: { statusChanges: { cursor: 'c3', kind: 'CHECKPOINT', change: null } } },
  ];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { id, type, payload } = JSON.parse(String(data)) as { id?: string; type: string; payload?: object };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type !== 'subscribe') return;
      asked.push(payload);
      for (const each of payloads) socket.send(JSON.stringify({ id, type: 'next', payload: each }));
    }),
  );
  await once(server, 'listening');
  const over = new AbortController();
  const missed: string[] = [];
  const cursors: string[] = [];
  try {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
    for await (const { cursor } of followStatus({
      ...{ client: { url, credential: undefined }, after: undefined, signal: over.signal },
      filter: { kinds: undefined, subjectId: undefined, projectId: undefined },
      onLost: (why) => missed.push(`lost: ${why}`),
      onMissed: (why) => missed.push(why),
    })) {
      cursors.push(cursor);
      if (cursor === 'c3') over.abort();
    }
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
  expect(cursors).toEqual(['c1', 'c2', 'c3']);
  expect(missed).toEqual(['A bug.']);
  expect(asked).toHaveLength(1);
}, 30_000);

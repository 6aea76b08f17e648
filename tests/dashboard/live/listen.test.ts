// The end of a page's stream, for each kind of server message.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { FeedItem } from '../../../dashboard/src/live/entity-kind.ts';
import { listen } from '../../../dashboard/src/live/listen.ts';
import type { StreamEnd } from '../../../dashboard/src/live/live-feed.ts';

const checkpoint: FeedItem = { cursor: 'c1', kind: 'CHECKPOINT', change: null };

/** Serves one subscription with these payloads, and returns the page's interpretation. */
async function heard(...payloads: readonly object[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { readonly id?: string; readonly type: string };
      if (message.type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (message.type !== 'subscribe') return;
      for (const payload of payloads) socket.send(JSON.stringify({ id: message.id, type: 'next', payload }));
    }),
  );
  await once(server, 'listening');
  const items: FeedItem[] = [];
  try {
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = {
      url,
      accessToken: async () => 'token',
      subscription: 'subscription { statusChanges { cursor } }',
    };
    const listener = { connected: () => undefined, item: (item: FeedItem) => void items.push(item) };
    return { end: await listen(options, 'c0', listener, new AbortController().signal), items };
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
}

const errors = (extensions: object) => ({ data: null, errors: [{ message: 'no', extensions }] });

test.each<[string, object, StreamEnd]>([
  ['a change that could not be completed', errors({ code: 'INTERNAL', cursor: 'c2' }), { type: 'incomplete' }],
  ['an old cursor', errors({ code: 'CURSOR_EXPIRED' }), { type: 'expired', code: 'CURSOR_EXPIRED' }],
  ['a login that has ended', errors({ code: 'UNAUTHENTICATED' }), { type: 'unauthenticated' }],
  ['anything else', errors({ code: 'UNAVAILABLE' }), { type: 'lost', reason: 'no' }],
])('%s ends the stream after the earlier messages', async (_, payload, end) => {
  const told = await heard({ data: { statusChanges: checkpoint } }, payload);
  expect(told).toEqual({ end, items: [checkpoint] });
});

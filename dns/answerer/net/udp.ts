// One UDP socket: one packet per answer, sent to the source of the query.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Answering, Listener, Place } from './listener.ts';

/** The kernel buffers bursts while the event loop is busy. It may allow less (net.core.rmem_max). */
const receiveBytes = 4 * 1024 * 1024;

/** Throws when the place is taken, or belongs to another machine. */
export async function listenUdp({ address, port }: Place, answer: Answering): Promise<Listener> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    recvBufferSize: receiveBytes,
    // Only addresses are used. The system's lookup would cost a turn of the event loop each time.
    lookup: (host, _options, done) => done(null, host, family),
  });
  socket.on('message', (packet, { address: from, port: fromPort }) => {
    if (fromPort === 0) return;
    const bytes = answer(packet, { address: from, udp: true });
    if (bytes !== undefined) socket.send(bytes, fromPort, from);
  });
  const bound = once(socket, 'listening');
  socket.bind(port, address);
  await bound;
  // Like any packet, one that can't be sent is lost.
  socket.on('error', () => undefined);
  return { port: socket.address().port, connections: () => 0, close: () => closed(socket) };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

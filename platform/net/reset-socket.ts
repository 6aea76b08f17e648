// Ends a TCP connection at once, with a reset: a close would leave its port in TIME_WAIT, and the kernel to send what it still
// holds, for minutes when the network is down.
import type { Socket } from 'node:net';

/**
 * Two states need more than Node's resetAndDestroy (24.21). While it connects, that waits for the connection, and with it the
 * descriptor, for as long as the kernel tries (two minutes). While the end of our side is under way, it fails with EINVAL and
 * leaves the socket open, without a 'close' ever: it is reset right after; with bytes still to be written that could take for
 * ever.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else if (!socket.writableEnded || socket.writableFinished) socket.resetAndDestroy();
  else if (socket.writableLength > 0) socket.destroy();
  else socket.once('finish', () => resetSocket(socket));
}

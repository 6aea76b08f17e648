// Ends a TCP connection at once, with a reset: a close would leave its port in TIME_WAIT, and unsent data in the kernel, for
// minutes when the network is down.
import type { Socket } from 'node:net';

/**
 * Two states need more than Node's resetAndDestroy (24.21). While the socket connects, that waits for the connection, and keeps the
 * descriptor, as long as the kernel tries (two minutes). While this side's close is in progress, it fails with EINVAL and leaves
 * the socket open, without a 'close' event: the socket is then reset after its close. With unsent bytes the close could take
 * forever, so the socket is destroyed.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else if (!socket.writableEnded || socket.writableFinished) socket.resetAndDestroy();
  else if (socket.writableLength > 0) socket.destroy();
  else socket.once('finish', () => resetSocket(socket));
}

// A socket or an event stream, which the gateway may have to close before its client does.
import type { WebSocket } from 'ws';
import type { SocketClose } from '../../platform/errors/errors.ts';

export interface Closable {
  isOpen(): boolean;
  /** Sends the reason to the client. */
  close(reason: SocketClose): void;
  /** Closes it at once. */
  terminate(): void;
  onceClosed(listener: () => void): void;
}

/** A peer that does not answer a close is disconnected. */
const closeGraceMs = 1000;

/** Closes them permanently. One that does not answer is disconnected. */
export function closeAll(all: Iterable<Closable>, reason: SocketClose): void {
  for (const each of all) {
    each.close(reason);
    const cut = setTimeout(() => each.terminate(), closeGraceMs);
    cut.unref();
    each.onceClosed(() => clearTimeout(cut));
  }
}

const known = new WeakMap<WebSocket, Closable>();

/** Always the same object for the same socket. */
export function closableSocket(socket: WebSocket): Closable {
  const closable = known.get(socket) ?? {
    isOpen: () => socket.readyState === socket.OPEN,
    close: ({ code, reason }) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    onceClosed: (listener) => socket.once('close', listener),
  };
  known.set(socket, closable);
  return closable;
}

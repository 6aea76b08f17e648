// Datagrams to one address on a user's behalf, and what comes back from it. The egress policy checks the address; names are resolved
// before.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { EgressDeniedError } from './dial.ts';
import type { EgressPolicy } from './egress.ts';
import type { Address } from './origin.ts';

export interface DatagramExchange {
  /** From that address and port only. */
  readonly take: (datagram: Buffer) => void;
  /** The address is denied, or its machine says that nobody listens at the port (ECONNREFUSED). */
  readonly failed: (error: Error) => void;
}

/** Sends `datagram` to an IP address. The caller ends the exchange, also after a failure; twice does no harm. */
export function sendDatagram(
  egress: EgressPolicy,
  { host, port }: Address,
  datagram: Buffer,
  { take, failed }: DatagramExchange,
): () => void {
  const denial = egress.denial(host, port);
  if (denial !== undefined) {
    queueMicrotask(() => failed(new EgressDeniedError(denial)));
    return () => undefined;
  }
  let socket: Socket | undefined = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const end = () => {
    socket?.close();
    socket = undefined;
  };
  socket.on('error', failed);
  socket.on('message', take);
  // Connected: the kernel takes only what comes from that address and port, and reports a closed one.
  socket.connect(port, host, (error?: Error | null) => {
    if (error === undefined || error === null) socket?.send(datagram);
    else failed(error);
  });
  return end;
}

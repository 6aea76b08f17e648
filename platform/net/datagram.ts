// Sends datagrams to one address on a user's behalf and receives the replies. The egress policy checks the address. Names must be
// resolved before.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { EgressDeniedError } from './dial.ts';
import type { EgressPolicy } from './egress.ts';
import type { Address } from './origin.ts';

interface DatagramExchange {
  /** Called for datagrams from that address and port only. */
  readonly take: (datagram: Buffer) => void;
  /** The address is denied, or its machine reports that nobody listens at the port (ECONNREFUSED). */
  readonly failed: (error: Error) => void;
}

/** Sends `datagram` to an IP address. The caller must end the exchange, also after a failure. Ending it twice is harmless. */
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
  // The socket is connected, so the kernel accepts only datagrams from that address and port, and reports a closed port.
  socket.connect(port, host, (error?: Error | null) => {
    if (error === undefined || error === null) socket?.send(datagram);
    else failed(error);
  });
  return end;
}

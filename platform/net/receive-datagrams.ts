// Receives datagrams at an address of this machine. Nothing is ever sent: it is no way out.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface DatagramReceiver {
  readonly port: number;
  stop(): Promise<void>;
}

interface DatagramOptions {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** Must not throw. `from`: the sender's address, taken from the datagram. */
  readonly take: (datagram: Buffer, from: string) => void;
  /** The socket failed after it was opened. */
  readonly failed: (error: Error) => void;
}

/** Rejects when the address is not of this machine, or taken. */
export async function receiveDatagrams({ host, port, take, failed }: DatagramOptions): Promise<DatagramReceiver> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
  socket.on('error', failed);
  socket.on('message', (datagram, { address }) => take(datagram, address));
  let closed: Promise<void> | undefined;
  return {
    port: socket.address().port,
    stop() {
      closed ??= new Promise((resolve) => socket.close(() => resolve()));
      return closed;
    },
  };
}

// The SSH client on a socket allowed by the egress policy: no other code makes one.
import type { Socket } from 'node:net';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import { dial } from './dial.ts';
import type { EgressPolicy } from './egress.ts';
import type { Address } from './origin.ts';
import { boundGroupExchange } from './ssh2-key-exchange.ts';

interface SshDial {
  readonly client: Client;
  /** Connecting. The caller owns it. */
  readonly socket: Socket;
  /** Call it in the same turn, after the client's listeners are added. */
  connect(config: Omit<ConnectConfig, 'host' | 'port' | 'sock'>): void;
}

export function dialSsh(egress: EgressPolicy, address: Address): SshDial {
  const client = new ssh2.Client();
  const socket = dial(egress, address).setNoDelay(true);
  return {
    client,
    socket,
    connect: (config) => {
      client.connect({ ...config, sock: socket });
      boundGroupExchange(client);
    },
  };
}

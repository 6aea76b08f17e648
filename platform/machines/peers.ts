// The machines at the other end of this process's connections: each must have the required role and not be revoked, as long as
// the connection lasts.
import type { Socket } from 'node:net';
import type { Logger } from '../log/log.ts';
import { machineOf } from './machine.ts';

/** As provided by Node and undici. */
interface PeerCertificate {
  readonly subjectaltname?: string | undefined;
}

export class Peers {
  readonly #log: Logger;
  #revoked: ReadonlySet<string> = new Set();
  /** By the UUID of the machine at the other end. */
  readonly #sockets = new Map<string, Set<Socket>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** UUIDs of revoked machines whose certificates have not expired. */
  get revoked(): ReadonlySet<string> {
    return this.#revoked;
  }

  /** Why the peer is refused. Undefined if it is accepted in that role. */
  refusal({ subjectaltname }: PeerCertificate, role: string): string | undefined {
    const machine = machineOf({ subjectAltName: subjectaltname });
    if (machine === undefined) return 'the certificate is not that of a machine';
    if (machine.role !== role) return `machine ${machine.name} has the role ${machine.role}, not ${role}`;
    return this.#revoked.has(machine.id) ? `machine ${machine.name} was revoked` : undefined;
  }

  /** Ends the connection when its peer is revoked. */
  watch(socket: Socket, { subjectaltname }: PeerCertificate): void {
    const { id } = machineOf({ subjectAltName: subjectaltname }) ?? {};
    if (id === undefined || socket.destroyed) return;
    const sockets = this.#sockets.get(id) ?? new Set();
    this.#sockets.set(id, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(id);
    });
  }

  /** All revoked machines, by UUID. */
  revoke(revoked: ReadonlySet<string>): void {
    this.#revoked = revoked;
    for (const [id, sockets] of this.#sockets) {
      if (!revoked.has(id)) continue;
      this.#log.warn({ machine: id, connections: sockets.size }, 'connections to a revoked machine are ended');
      for (const socket of sockets) socket.destroy();
    }
  }
}

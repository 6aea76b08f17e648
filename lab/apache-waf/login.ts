// OpenSSH in front of the firewall: a server on a free port of the loopback that passes each connection to its own sshd (`sshd
// -i`) inside the namespaces of the firewall's Apache.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';

/**
 * Becomes the sshd of one connection, on standard input and output. A login can write Apache's files and signal it,
 * but can't get CAP_SYS_ADMIN.
 */
const SCRIPT = `keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+sys_chroot,+audit_write
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd -i -e -f /run/sshd_config`;

export class WafLogin {
  readonly host = '127.0.0.1';
  readonly username = 'netops';
  readonly #server: Server;
  readonly #sessions = new Set<ChildProcess>();
  readonly #insidePid: number;

  private constructor(server: Server, insidePid: number) {
    this.#server = server;
    this.#insidePid = insidePid;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** `insidePid`: a process in the namespaces. Must be called on the main thread, as `ServerProcess`. */
  static async start(insidePid: number): Promise<WafLogin> {
    // Nothing may be read here: the bytes belong to sshd.
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WafLogin(server, insidePid);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const ended = [...this.#sessions].map((session) => once(session, 'exit'));
    for (const session of this.#sessions) session.kill('SIGKILL');
    await Promise.all([closed, ...ended]);
  }

  #serve(socket: Socket): void {
    const session = spawn(
      ...endingWithParent('nsenter', [
        ...['--target', String(this.#insidePid), '--mount', '--pid', '--ipc', '--', 'sh', '-c', SCRIPT],
      ]),
      { cwd: '/', detached: true, stdio: [socket, socket, 'ignore'] },
    );
    this.#sessions.add(session);
    for (const end of ['exit', 'error']) session.once(end, () => this.#sessions.delete(session));
    // The child owns the socket now. Closing it in this process does not end the connection.
    session.once('spawn', () => socket.destroy());
    session.once('error', () => socket.destroy());
    socket.on('error', () => {});
  }
}

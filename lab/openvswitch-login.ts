// OpenSSH in front of a private Open vSwitch: a server on a free loopback port that passes each connection to its own sshd (`sshd -i`). The sshd has
// mount and process namespaces with a root folder of their own, where `ovsdb-client` and `ovs-vsctl` reach only this database.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import { runProgram } from '../embedded/run-program.ts';

const USERNAME = 'netops';

const SCRIPTS = join(import.meta.dirname, 'openvswitch');

const CONFIG = `HostKey /run/host_key
AuthorizedKeysFile /run/authorized_keys
AllowUsers ${USERNAME}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PidFile none
PrintMotd no
PrintLastLog no
X11Forwarding no
AllowTcpForwarding no
AllowAgentForwarding no
MaxSessions 100
LoginGraceTime 20
LogLevel ERROR
SetEnv PATH=/usr/sbin:/usr/bin:/sbin:/bin OVS_RUNDIR=/run/openvswitch
`;

export class OvsLogin {
  readonly username = USERNAME;
  readonly port: number;
  readonly #server: Server;
  readonly #sessions = new Set<ChildProcess>();
  readonly #folders: { readonly login: string; readonly database: string };

  private constructor(server: Server, folders: { login: string; database: string }) {
    this.#server = server;
    this.#folders = folders;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** `folder` has db.sock; `keysFolder` is from `ensureKeys`. Must be called on the main thread, like `ServerProcess`. */
  static async start(options: { readonly folder: string; readonly keysFolder: string }): Promise<OvsLogin> {
    const login = options.keysFolder;
    await writeFile(join(login, 'sshd_config'), CONFIG, { mode: 0o600 });
    const laid = await runProgram('sh', [join(SCRIPTS, 'lay-root.sh'), login, SCRIPTS]);
    if (laid.exitCode !== 0) throw new Error(`The logins' root folder could not be made: ${laid.stderr.trim()}`);
    // Nothing may be read here: the bytes belong to sshd.
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OvsLogin(server, { login, database: options.folder });
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const ended = [...this.#sessions].map((session) => once(session, 'exit'));
    for (const session of this.#sessions) session.kill('SIGKILL');
    await Promise.all([closed, ...ended]);
  }

  #serve(socket: Socket): void {
    const { login, database } = this.#folders;
    const session = spawn(
      ...endingWithParent('unshare', [
        ...['--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL', '--propagation', 'private'],
        ...['sh', join(SCRIPTS, 'login.sh'), login, database, SCRIPTS],
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

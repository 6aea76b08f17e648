// OpenSSH in front of a private Open vSwitch: a server on a free port of the loopback that passes each connection to its own sshd
// (`sshd -i`), in mount and process namespaces where `ovsdb-client` and `ovs-vsctl` reach only this database.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

const USERNAME = 'netops';

/**
 * In: $1 the folder with run/ (mount point), passwd and sshd_config. Becomes process 1 of its namespace, an sshd for one
 * connection; nothing is written outside, and no mount is visible there. The folder may be below /run, so the private one is
 * filled before it replaces /run.
 */
const SCRIPT = `set -eu
run=$1/run
mount -n -t tmpfs -o mode=755 tmpfs "$run"
mkdir "$run/sshd"
cp "$1/passwd" "$1/sshd_config" "$1/host_key" "$1/authorized_keys" "$run/"
chmod 600 "$run/host_key"
mkdir "$run/openvswitch"
mount -n --bind "$2" "$run/openvswitch"
mount -n --move "$run" /run
mount -n --bind /run/passwd /etc/passwd
# A login may change the switch, not this machine. Some hosts can't make their root read-only; it works all the same.
mount -n -o remount,bind,ro / 2>/dev/null || :
keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+sys_chroot,+audit_write
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd -i -e -f /run/sshd_config`;

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

/** A separate account, to skip root's startup files. */
const PASSWD = `${USERNAME}:*:0:0:lab:/run:/bin/sh
sshd:*:102:65534::/run/sshd:/usr/sbin/nologin
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
    await mkdir(join(login, 'run'), { recursive: true, mode: 0o700 });
    await writeFile(join(login, 'sshd_config'), CONFIG, { mode: 0o600 });
    await writeFile(join(login, 'passwd'), PASSWD, { mode: 0o644 });
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
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
        ...['--propagation', 'private', 'sh', '-c', SCRIPT, 'sh', login, database],
      ],
      { cwd: '/', detached: true, stdio: [socket, socket, 'ignore'] },
    );
    this.#sessions.add(session);
    for (const end of ['exit', 'error']) session.once(end, () => this.#sessions.delete(session));
    // The child has the socket now; closing this end of it does not end the connection.
    session.once('spawn', () => socket.destroy());
    session.once('error', () => socket.destroy());
    socket.on('error', () => {});
  }
}

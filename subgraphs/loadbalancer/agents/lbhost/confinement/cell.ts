// Commands that start a node's programs so that a compromised program can reach nothing of the host and of other nodes: its own
// unprivileged account, process ids and mounts, and the limits of the node's cgroup. Pure: returns commands, which util-linux runs.
import { type Role, rootOf } from '../../../rules/haproxy/node-places.ts';

interface CellOptions {
  /** The node's own folder. */
  readonly folder: string;
  /** Command prefix that enters the node's network, for example `nsenter --net=…`. */
  readonly wrapper: readonly string[];
  /** The node's own user and group id. Null if the host is not root: its nodes then run with the host's. */
  readonly uid: number | null;
  /** Folder of the node's cgroup. Null if it has no limits. */
  readonly cgroup: string | null;
  /** Prepares the file system that the node's programs see. */
  readonly prepare?: () => Promise<void>;
}

interface Launch {
  readonly role: Role;
  readonly command: readonly string[];
  /** Receives the process id, as seen by the host. */
  readonly pidFile: string;
  /** Receives the output of the program, at most `mostOutputBytes`. */
  readonly output: string;
}

/**
 * Inputs: folder of the cgroup or nothing, file for the process id, file for output, command. Output: the command runs in the background,
 * and this script ends. Must hold: a program never starts without its limits. Its output can't fill the disk: a file grows to 64 KiB and no
 * further (`ulimit -f` counts 512 bytes), and the signal for that is ignored. Its connections may need more open files than this process
 * may have.
 */
const startScript = `set -e
umask 077
[ -z "$1" ] || echo $$ >"$1/cgroup.procs"
exec 3>"$2" 4>"$3"
shift 3
trap '' XFSZ
ulimit -f 128
ulimit -Hn 1048576 2>/dev/null || :
"$@" </dev/null >&4 2>&1 3>&- 4>&- &
echo $! >&3`;

/**
 * Inputs: file of mounts, root folder, command. Runs as the first process of a process id namespace, in a mount namespace of its own.
 * Output: the command replaces it. Must hold: afterwards only file systems in the list can be reached.
 */
const enterScript = `set -e
mount --no-mtab --all --fstab "$1"
cd "$2"
pivot_root . old
cd /
umount --lazy /old
shift 2
exec "$@"`;

/**
 * Privileges are limited at once, and no started program can gain more.
 *
 * HAProxy's master reads keys, binds ports and forks workers. It stays user 0, with the capabilities that a worker needs to confine itself
 * (HAProxy 2.6, management guide, section 3: `chroot`, `uid`, `gid`). These are inheritable but not in the bounding set, so that a worker,
 * which gives up user 0, keeps none of them (capabilities(7)). Both can't be set in one step: an inheritable capability must be in the
 * bounding set at that moment.
 *
 * Keepalived moves an address in the node's own network, and sets the groups of its script (SETGID) even if that changes nothing.
 */
function privilegesOf(role: Role, uid: number): readonly string[] {
  if (role === 'HAPROXY')
    return [
      ...[
        'setpriv',
        '--clear-groups',
        `--inh-caps=${setOf('setuid', 'setgid', 'sys_chroot', 'kill', 'net_bind_service')}`,
      ],
      ...['setpriv', '--bounding-set=-all', '--no-new-privs'],
    ];
  const caps = setOf('net_admin', 'net_raw', 'setgid');
  return [
    ...['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', `--inh-caps=${caps}`],
    ...[`--ambient-caps=${caps}`, `--bounding-set=${caps}`, '--no-new-privs'],
  ];
}

function setOf(...names: readonly string[]): string {
  return ['-all', ...names.map((name) => `+${name}`)].join();
}

export class Cell {
  readonly #options: CellOptions;

  constructor(options: CellOptions) {
    this.#options = options;
  }

  get uid(): number | null {
    return this.#options.uid;
  }

  /** Call it before `launch`. */
  async prepare(): Promise<void> {
    await this.#options.prepare?.();
  }

  /** The command that starts the program in the background and then ends. */
  launch({ role, command, pidFile, output }: Launch): readonly string[] {
    const { folder, wrapper, uid, cgroup } = this.#options;
    const start = ['sh', '-c', startScript, 'sh', cgroup ?? '', pidFile, output];
    if (uid === null) return [...wrapper, ...start, 'setsid', ...command];
    const { root, mounts } = rootOf(folder);
    return [
      ...[...wrapper, 'unshare', '--pid', '--ipc', '--', ...start],
      ...['unshare', '--mount', '--', 'sh', '-c', enterScript, 'sh', mounts[role], root],
      ...['setsid', ...privilegesOf(role, uid), ...command],
    ];
  }

  /**
   * The command that runs a program to its end beside a running program of the node: with the same view of the machine, but without any
   * privilege.
   */
  beside(pid: number | undefined, command: readonly string[]): readonly string[] {
    const { wrapper, uid } = this.#options;
    if (uid === null || pid === undefined) return [...wrapper, ...command];
    return [
      ...['nsenter', '--target', String(pid), '--net', '--mount', '--pid', '--'],
      ...['setpriv', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
      ...command,
    ];
  }
}

/** A cell without confinement. */
export function plainCell(folder: string): Cell {
  return new Cell({ folder, wrapper: [], uid: null, cgroup: null });
}

/** Its programs get nothing of this process's environment, which may contain secrets. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin' };
}

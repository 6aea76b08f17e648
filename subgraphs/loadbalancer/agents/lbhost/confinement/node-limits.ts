// Limits a node's use of its machine, by its size, with one cgroup per node (cgroup v2: Linux, Documentation/admin-guide/cgroup-v2.rst).
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WantedNode } from '../../../wire/wanted-node.ts';

const controllers = ['cpu', 'memory', 'pids'] as const;
type Controller = (typeof controllers)[number];

const periodUs = 100_000;
const mib = 1024 * 1024;
/** HAProxy with its certificates and lists, and keepalived. */
const baseBytes = 256 * mib;
/** Two buffers of 16 KiB and two TLS connections, counted twice because an earlier worker may still be finishing. */
const connectionBytes = 160 * 1024;
/** HAProxy's master and keepalived with its script. */
const basePids = 64;
/** The current worker, and as many earlier ones as HAProxy may keep. */
const mostWorkers = 51;
const removeTries = 50;
const removePauseMs = 20;

/** Contents of the cgroup's files. A limit stops a runaway node; it reserves nothing. */
function limitsOf({
  threads,
  connections,
}: WantedNode['size']): Readonly<Record<Controller, readonly [string, string]>> {
  return {
    cpu: ['cpu.max', `${threads * periodUs} ${periodUs}`],
    memory: ['memory.max', String(baseBytes + connections * connectionBytes)],
    pids: ['pids.max', String(basePids + mostWorkers * (threads + 1))],
  };
}

export class NodeLimits {
  readonly #folder: string;
  readonly #present: readonly Controller[];
  /** The last limits of each node, as text. */
  readonly #set = new Map<string, string>();
  /** A sentence about limits that can't be set. Null if all can be. */
  readonly fault: string | null;

  private constructor(folder: string, present: readonly Controller[], fault: string | null) {
    this.#folder = folder;
    this.#present = present;
    this.fault = fault;
  }

  /** Creates the parent cgroup of all nodes, and delegates its controllers. */
  static async open(folder: string): Promise<NodeLimits> {
    const above = dirname(folder);
    const without = `nodes run without limits of ${controllers.join(', ')}`;
    try {
      await access(join(above, 'cgroup.controllers'));
    } catch {
      return new NodeLimits(folder, [], `${without}: ${above} is not a cgroup v2`);
    }
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      return new NodeLimits(folder, [], `${without}: ${(error as Error).message}`);
    }
    // One at a time: a missing controller does not block the others.
    for (const each of [above, folder])
      for (const controller of controllers)
        await writeFile(join(each, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
    const given = (await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
    const present = controllers.filter((each) => given.includes(each));
    const missing = controllers.filter((each) => !given.includes(each));
    const fault =
      missing.length === 0
        ? null
        : `nodes run without limits of ${missing.join(', ')}: ${folder} does not have these controllers`;
    return new NodeLimits(folder, present, fault);
  }

  /** Folder of the node's cgroup, with its limits set. Null if this machine has no limits. */
  async of(name: string, size: WantedNode['size']): Promise<string | null> {
    if (this.#present.length === 0) return null;
    const own = join(this.#folder, name);
    const limits = limitsOf(size);
    const text = JSON.stringify(limits);
    const isNew = await mkdir(own).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (!isNew && this.#set.get(name) === text) return own;
    for (const controller of this.#present) {
      const [file, content] = limits[controller];
      await writeFile(join(own, file), content);
    }
    this.#set.set(name, text);
    return own;
  }

  /** Call it after its last process has ended; the process may need a moment to disappear. */
  async remove(name: string): Promise<void> {
    this.#set.delete(name);
    for (let tries = 1; ; tries += 1)
      try {
        return await rmdir(join(this.#folder, name));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return;
        if (code !== 'EBUSY' || tries === removeTries) throw error;
        await sleep(removePauseMs);
      }
  }
}

// Confines the nodes of a host: gives each its own user id, root folder and cgroup. Needs root; without it nodes are plain processes.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WantedNode } from '../../../wire/wanted-node.ts';
import { NetnsNames } from '../providers/netns-names.ts';
import { Cell } from './cell.ts';
import { NodeLimits } from './node-limits.ts';
import { makeRoot } from './node-root.ts';
import { NodeUids } from './node-uids.ts';

export interface ConfinementOptions {
  /** The host's own folder, as its real path. */
  readonly folder: string;
  /** Real paths of the programs of nodes. */
  readonly programs: readonly string[];
  readonly firstUid: number;
  /** Folder of a cgroup v2 to create for the nodes. Default: below the machine's root. */
  readonly cgroup?: string;
}

export const usualFirstUid = 2_000_000_000;
const usualCgroup = '/sys/fs/cgroup/tidegate-lbhost';

export class Confinement {
  readonly #options: ConfinementOptions;
  readonly #nodes: string;
  readonly #names: NetnsNames;
  readonly #uids: NodeUids | undefined;
  readonly #limits: NodeLimits | undefined;

  private constructor(options: ConfinementOptions, nodes: string, uids?: NodeUids, limits?: NodeLimits) {
    this.#options = options;
    this.#nodes = nodes;
    this.#names = new NetnsNames(options.folder);
    [this.#uids, this.#limits] = [uids, limits];
  }

  static async open(options: ConfinementOptions): Promise<Confinement> {
    const nodes = join(options.folder, 'nodes');
    await mkdir(nodes, { recursive: true, mode: 0o700 });
    if (process.getuid?.() !== 0) return new Confinement(options, nodes);
    const limits = await NodeLimits.open(options.cgroup ?? usualCgroup);
    return new Confinement(options, nodes, await NodeUids.open(nodes, options.firstUid), limits);
  }

  /** A sentence about what is missing in the confinement. Null if nothing is. */
  get fault(): string | null {
    if (this.#limits === undefined) return 'the host is not root, so that its nodes are neither confined nor limited';
    return this.#limits.fault;
  }

  /** The cell of a node, resized if necessary. `wrapper`: command prefix that enters its network. */
  async cell({ name, size }: Pick<WantedNode, 'name' | 'size'>, wrapper: readonly string[]): Promise<Cell> {
    const folder = join(this.#nodes, name);
    if (this.#uids === undefined) return new Cell({ folder, wrapper, uid: null, cgroup: null });
    const uid = await this.#uids.of(name);
    const cgroup = (await this.#limits?.of(this.#names.namespace(name), size)) ?? null;
    const prepare = () => makeRoot(folder, uid, this.#options.programs);
    return new Cell({ folder, wrapper, uid, cgroup, prepare });
  }

  /** Call it after the node's processes have ended. */
  async unlimit(name: string): Promise<void> {
    await this.#limits?.remove(this.#names.namespace(name));
  }

  /** Call it after the node's folder is gone: its user id becomes free. */
  forget(name: string): void {
    this.#uids?.free(name);
  }
}

// The place where a node runs: a port with an adapter for network namespaces and one for plain processes. One contract suite tests both.
import type { WantedNode } from '../../../wire/wanted-node.ts';

export interface NodePlace {
  /** Command prefix for programs of the node, for example `nsenter --net=…`. */
  readonly wrapper: readonly string[];
}

export interface NodeProvider {
  readonly name: 'NETNS' | 'LOOPBACK';
  /**
   * Creates the place, or changes it to the wanted state. Idempotent. `pid`: a process of the node whose place is kept.
   */
  make(node: WantedNode, pid?: number): Promise<NodePlace>;
  /** Removes everything with this name, and ends what runs in it. It need not exist. */
  remove(name: string): Promise<void>;
  /** Names of this host's places of which anything exists. */
  list(): Promise<readonly string[]>;
}

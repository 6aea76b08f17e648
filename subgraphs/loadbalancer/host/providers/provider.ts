// Where a node lives: a port with an adapter for network namespaces and one for plain processes. One contract suite tests both.
import type { WantedNode } from '../../wanted/wanted-node.ts';

export interface NodePlace {
  /** What programs of the node are started with, for example `ip netns exec NAME`. */
  readonly wrapper: readonly string[];
}

export interface NodeProvider {
  readonly name: 'NETNS' | 'LOOPBACK';
  /** Makes the place, or brings it to what is wanted now. Doing it again changes nothing. */
  make(node: WantedNode): Promise<NodePlace>;
  /** Removes everything that has the name. It need not exist. */
  remove(name: string): Promise<void>;
  /** Names of the places that exist, of this host's alone. */
  list(): Promise<readonly string[]>;
}

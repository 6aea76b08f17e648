// Where a node lives: a port with an adapter for network namespaces and one for plain processes. One contract suite tests both.
import type { WantedNode } from '../../wanted/wanted-node.ts';

/** A leg that has the node's shared address: the interface's name in the node. */
export type FloatingLeg = 'public' | 'subnet';

export interface NodePlace {
  /** What programs of the node are started with, for example `nsenter --net=…`. */
  readonly wrapper: readonly string[];
}

export interface NodeProvider {
  readonly name: 'NETNS' | 'LOOPBACK';
  /**
   * Makes the place, or brings it to what is wanted now. Doing it again changes nothing. `pid`: a process of the node, of which the
   * place is kept.
   */
  make(node: WantedNode, pid?: number): Promise<NodePlace>;
  /** Removes everything that has the name, and ends what runs in it. It need not exist. */
  remove(name: string): Promise<void>;
  /** Names of the places of which anything exists, of this host's alone. */
  list(): Promise<readonly string[]>;
}

// Types that the UDP and TCP listeners of a name server share.
import type { Peer } from '../query/peer.ts';

export interface Place {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Undefined if nothing is sent. Never throws. */
export type Answering = (packet: Buffer, peer: Peer) => Buffer | undefined;

export interface Listener {
  readonly port: number;
  /** Open ones. */
  readonly connections: () => number;
  /** Answers received queries, then closes. */
  close(): Promise<void>;
}

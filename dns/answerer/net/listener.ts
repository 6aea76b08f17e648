// What the sockets of a name server have in common.
import type { Peer } from '../query/peer.ts';

export interface Place {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Undefined: nothing is sent. Never throws. */
export type Answering = (packet: Buffer, peer: Peer) => Buffer | undefined;

export interface Listener {
  readonly port: number;
  /** Open ones. */
  readonly connections: () => number;
  /** What came is answered; then it ends. */
  close(): Promise<void>;
}

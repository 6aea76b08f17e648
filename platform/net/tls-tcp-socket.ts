// The TCP socket below a TLS one. Destroying the TLS socket destroys it too, and that resets the connection: a plain close
// would leave the kernel to send what it still holds, for minutes when the network is down. Resetting it from outside is no
// way: a TLS socket that is destroyed in the same turn then crashes the process (Node 24.21).

import { Socket } from 'node:net';

export class TcpSocket extends Socket {
  #reset = false;

  constructor() {
    // Never half closed by itself: while the end of our side is under way a reset fails with EINVAL and leaves it open.
    super({ allowHalfOpen: true });
  }

  override destroy(error?: Error): this {
    // With an error, or without a connection, there is nothing left to reset.
    if (this.#reset || error || this.destroyed || this.pending) return super.destroy(error);
    this.#reset = true;
    this.resetAndDestroy();
    return this;
  }
}

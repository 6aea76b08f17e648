// The TCP socket below a TLS one. Destroying the TLS socket destroys this one too, which resets the connection: a plain close
// would leave unsent data in the kernel, for minutes when the network is down. It can't be reset from outside: a TLS socket that
// is destroyed in the same turn then crashes the process (Node 24.21).

import { Socket } from 'node:net';

export class TcpSocket extends Socket {
  #reset = false;

  constructor() {
    // Never half closed automatically: while this side's close is in progress, a reset fails with EINVAL and leaves it open.
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

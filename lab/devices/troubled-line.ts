// A TCP proxy in front of a real device that can't misbehave on demand: it has the device's port, and implements the troubles. It knows no
// calls: a trouble affects everything on the line.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../platform/net/origin.ts';
import { lateMs, type Trouble } from '../device.ts';

/** A request may come in several pieces. */
const requestMs = 50;

export class TroubledLine {
  readonly host = '127.0.0.1';
  readonly #to: Address;
  readonly #server: Server;
  /** Maps each end of a connection to the other. */
  readonly #ends = new Map<Socket, Socket>();
  #trouble: Trouble = 'none';

  private constructor(to: Address) {
    this.#to = to;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => this.#join(near));
  }

  /** `port` 0: a free one. Throws EADDRINUSE. */
  static async lay(to: Address, port: number): Promise<TroubledLine> {
    const line = new TroubledLine(to);
    line.#server.listen(port, line.host);
    await once(line.#server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers held back by `hang` arrive when it ends; the connections of other troubles are gone. */
  setTrouble(trouble: Trouble): void {
    this.#trouble = trouble;
    for (const [near, far] of this.#ends) {
      if (trouble === 'refuse') near.destroy();
      else if (trouble === 'hang') far.pause();
      else far.resume();
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const [near, far] of this.#ends) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #join(near: Socket): void {
    near.on('error', () => {});
    if (this.#trouble === 'refuse') return void near.resetAndDestroy();
    const { host, port } = this.#to;
    const far = connect({ host, port, noDelay: true, allowHalfOpen: true });
    let isLate = false;
    this.#ends.set(near, far);
    far.on('error', () => near.destroy());
    far.on('close', () => near.destroy());
    near.on('close', () => {
      this.#ends.delete(near);
      if (!isLate) far.destroy();
    });
    far.on('data', (chunk: Buffer) => {
      if (this.#trouble === 'drop') near.destroy();
      else if (!near.destroyed && !near.write(chunk)) holdUntilDrained(near, far);
    });
    near.on('data', (chunk: Buffer) => {
      if (this.#trouble !== 'late' && !isLate) {
        if (!far.write(chunk)) holdUntilDrained(far, near);
        return;
      }
      if (!isLate) setTimeout(() => near.destroy(), requestMs);
      isLate = true;
      void sleep(lateMs).then(() => far.end(chunk));
    });
    near.on('end', () => !isLate && far.end());
    far.on('end', () => near.end());
    if (this.#trouble === 'hang') far.pause();
  }
}

function holdUntilDrained(slow: Socket, fast: Socket): void {
  fast.pause();
  slow.once('drain', () => fast.resume());
}

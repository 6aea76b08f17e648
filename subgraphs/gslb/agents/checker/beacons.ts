// Whether this checker may judge. Its failures count against a target only if it reaches at least half of its beacons by TCP, and its process is not
// starved. Otherwise it abstains, and a failed check has no result.
import { dial } from '../../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Address } from '../../../../platform/net/origin.ts';
import { resetSocket } from '../../../../platform/net/reset-socket.ts';

interface BeaconsOptions {
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
}

export class Beacons {
  readonly #options: BeaconsOptions;
  #beacons: readonly Address[] = [];
  #running: Promise<boolean> | undefined;
  #reached = true;

  constructor(options: BeaconsOptions) {
    this.#options = options;
  }

  use(beacons: readonly Address[]): void {
    this.#beacons = beacons;
    if (beacons.length === 0) this.#reached = true;
  }

  /** Result of the last check. */
  get reached(): boolean {
    return this.#reached;
  }

  /** Checks the beacons now. Concurrent callers share one check. */
  look(): Promise<boolean> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<boolean> {
    const needed = Math.ceil(this.#beacons.length / 2);
    if (needed > 0) this.#reached = await this.#reaches(needed);
    return this.#reached;
  }

  #reaches(needed: number): Promise<boolean> {
    const { egress, timeoutMs } = this.#options;
    return new Promise((resolve) => {
      let [good, open] = [0, this.#beacons.length];
      const sockets = this.#beacons.map((beacon) => dial(egress, beacon));
      const end = (reached: boolean) => {
        clearTimeout(timer);
        for (const socket of sockets) resetSocket(socket);
        resolve(reached);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      const count = (reached: boolean) => {
        open -= 1;
        if (reached) good += 1;
        if (good >= needed) end(true);
        else if (good + open < needed) end(false);
      };
      for (const socket of sockets) {
        let counted = false;
        const once = (reached: boolean) => {
          if (counted) return;
          counted = true;
          count(reached);
        };
        socket.once('connect', () => once(true));
        // A refusal shows that the beacon's machine and the path to it work.
        socket.on('error', (error) => once((error as NodeJS.ErrnoException).code === 'ECONNREFUSED'));
      }
    });
  }
}

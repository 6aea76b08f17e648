// Settles seals that were left behind: a cluster that died while it deleted a container leaves its gate sealed, and replicas take nothing into
// it until somebody asks for the container. A seal that this cluster has seen for some seconds is settled as a request that met it would do it:
// the gate is read from a majority, and opened again if it still has that version. A deletion that is only slow finds another version then, and
// begins anew. By how long it was seen, not by its version's time: clocks order nothing.
import type { Logger } from '../../../platform/log.ts';
import type { Loop } from '../../../platform/loop.ts';
import type { SealedGate } from '../store/sealed-gates.ts';
import type { Containers } from './containers.ts';
import { sharedLoop } from './shared-loop.ts';
import { type GateValue, readJson } from './values.ts';

export interface SealsOptions {
  /** What this cluster's replica has; bounded. */
  readonly sealed: () => Promise<readonly SealedGate[]>;
  readonly settle: Containers['settle'];
  readonly log: Logger;
  /** Whether this process is to do it now; another server of the cluster may. */
  readonly isMine?: () => Promise<boolean>;
  /** A seal that was seen for so long was left behind; default 5 s. */
  readonly sealedMs?: number;
  /** Between two looks; default 2 s. */
  readonly pauseMs?: number;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

const usualSealedMs = 5_000;
const usualPauseMs = 2_000;
const settledAtOnce = 16;

export class Seals {
  readonly #options: SealsOptions;
  readonly #loop: Loop;
  /** By gate and version: since when it is seen. */
  #seen: ReadonlyMap<string, number> = new Map();

  constructor(options: SealsOptions) {
    this.#options = options;
    const { log, isMine, pauseMs = usualPauseMs } = options;
    this.#loop = sharedLoop({
      ...{ log, name: 'settle seals of containers', isMine, pauseMs },
      round: async () => void (await this.look()),
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Settles those that are due, a few at once. @returns how many */
  async look(): Promise<number> {
    const { sealed, sealedMs = usualSealedMs, nowMs = () => performance.now() } = this.#options;
    const now = nowMs();
    const gates = await sealed();
    const seen = new Map(gates.map((gate) => [idOf(gate), this.#seen.get(idOf(gate)) ?? now]));
    this.#seen = seen;
    const due = gates.filter((gate) => now - (seen.get(idOf(gate)) ?? now) >= sealedMs).slice(0, settledAtOnce);
    const settled = await Promise.all(due.map((gate) => this.#settle(gate)));
    return settled.filter(Boolean).length;
  }

  /** False: without a majority the next look tries again. */
  async #settle({ ring, scope, head }: SealedGate): Promise<boolean> {
    try {
      const { account, container } = readJson<GateValue>({ head });
      await this.#options.settle({ ring, id: scope, account, name: container });
      return true;
    } catch (error) {
      this.#options.log.debug({ err: error, ring, scope }, 'a sealed container could not be settled yet');
      return false;
    }
  }
}

const idOf = ({ ring, scope, version }: SealedGate): string => `${ring}/${scope}/${version}`;

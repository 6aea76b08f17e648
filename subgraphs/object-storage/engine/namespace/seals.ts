// Settles abandoned seals. If a cluster dies while it deletes a container, the gate stays sealed, and replicas accept no changes in the
// container until a request for it arrives. A seal that this cluster has seen for some seconds is settled as such a request would do it:
// the gate is read from a majority, and opened if it still has that version. A deletion that is merely slow then finds another version and
// starts again. The time counts from when the seal was first seen, not from its version: clocks order nothing.
import type { Logger } from '../../../../platform/log/log.ts';
import type { Loop } from '../../../../platform/work/loop.ts';
import type { SealedGate } from '../store/sealed-gates.ts';
import type { Containers } from './containers.ts';
import { sharedLoop } from './shared-loop.ts';
import { type GateValue, readJson } from './values.ts';

interface SealsOptions {
  /** Seals at this cluster's replica; bounded. */
  readonly sealed: () => Promise<readonly SealedGate[]>;
  readonly settle: Containers['settle'];
  readonly log: Logger;
  /** Whether this process should do it now, rather than another server of the cluster. */
  readonly isMine?: () => Promise<boolean>;
  /** A seal seen for this long is abandoned; default 5 s. */
  readonly sealedMs?: number;
  /** Pause between two polls; default 2 s. */
  readonly pauseMs?: number;
  /** Monotonic clock. */
  readonly nowMs?: () => number;
}

const usualSealedMs = 5_000;
const usualPauseMs = 2_000;
const settledAtOnce = 16;

export class Seals {
  readonly #options: SealsOptions;
  readonly #loop: Loop;
  /** By gate and version: when the seal was first seen. */
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

  /** Settles abandoned seals, several at once. @returns their number */
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

  /** False if there was no majority and the next poll should try again. */
  async #settle({ ring, scope, head }: SealedGate): Promise<boolean> {
    try {
      const { account, container } = readJson<GateValue>({ head });
      await this.#options.settle({ ring, id: scope, account, name: container });
      return true;
    } catch (error) {
      this.#options.log.debug({ err: error, ring, scope }, 'could not settle a sealed container yet');
      return false;
    }
  }
}

const idOf = ({ ring, scope, version }: SealedGate): string => `${ring}/${scope}/${version}`;

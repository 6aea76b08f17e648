// Clients of the primary during a switchover: they are disconnected before it, and let in again afterwards, or when it is given up.

import type { SetupLog } from '../../../embedded/setup-log.ts';
import type { Step } from '../decide.ts';

/** The clients that are connected to this host. */
export interface HostClients {
  leave(): Promise<void>;
  stay(): Promise<void>;
}

interface LeavingClientsOptions {
  /** Undefined if clients get no notice of a switchover. */
  readonly clients: HostClients | undefined;
  readonly log: Pick<SetupLog, 'warn'>;
  readonly nowMs: () => number;
  readonly onLeft: () => void;
}

/** The address is still here for a moment after the lead was handed over. */
const addressStaysMs = 2_000;

export class LeavingClients {
  readonly #options: LeavingClientsOptions;
  /** Undefined if no switchover is under way. */
  #leaving: { isDone: boolean } | undefined;
  #handedOverAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeavingClientsOptions) {
    this.#options = options;
  }

  /** Disconnects clients at the first call. Does not wait for them, because the member may be lost before they have left. */
  haveLeft(): boolean {
    const { clients, log, onLeft } = this.#options;
    if (clients === undefined) return true;
    if (this.#leaving === undefined) {
      const leaving = { isDone: false };
      this.#leaving = leaving;
      clients
        .leave()
        .catch((error: unknown) => log.warn(`ha: clients are connected while the address moves: ${String(error)}`))
        .finally(() => {
          leaving.isDone = true;
          onLeft();
        });
    }
    return this.#leaving.isDone;
  }

  handedOver(): void {
    this.#handedOverAtMs = this.#options.nowMs();
  }

  /** A step that is not part of a switchover ends it. */
  decided({ kind }: Pick<Step, 'kind'>, nowMs: number): void {
    if (this.#leaving === undefined || kind === 'close' || kind === 'hand-over') return;
    if (nowMs - this.#handedOverAtMs < addressStaysMs) return;
    this.#leaving = undefined;
    this.letIn();
  }

  /** Also called at a start, because an agent that was killed during a switchover may have shut clients out. */
  letIn(): void {
    const { clients, log } = this.#options;
    clients?.stay().catch((error: unknown) => log.warn(`ha: clients are not let in: ${String(error)}`));
  }
}

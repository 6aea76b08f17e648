// Before a planned change without a virtual address: directs balancers to another host, and closes the connections that they keep to the process on
// this host, so that they check again.

import type { PrimaryHealth } from './primary-health.ts';
import { signalServed } from './served-process.ts';

interface BalancedClientsOptions {
  readonly health: PrimaryHealth;
  /** File where `tidegate serve` records its process (`noteServed`). Undefined if that process is not notified. */
  readonly processFile: string | undefined;
}

export class BalancedClients {
  readonly #options: BalancedClientsOptions;

  constructor(options: BalancedClientsOptions) {
    this.#options = options;
  }

  /** Requests that arrive now are still answered, because the process waits for the new primary. */
  async leave(): Promise<void> {
    const { health, processFile } = this.#options;
    health.leave();
    if (processFile !== undefined) await signalServed(processFile, 'SIGUSR2');
  }

  async stay(): Promise<void> {
    this.#options.health.stay();
  }
}

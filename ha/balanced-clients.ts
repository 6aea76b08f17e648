// Before a planned change where there is no virtual address: balancers are told to go elsewhere, and the connections that they keep to
// the process on this host are ended, so that they look again.

import type { PrimaryHealth } from './primary-health.ts';
import { signalServed } from './served-process.ts';

export interface BalancedClientsOptions {
  readonly health: PrimaryHealth;
  /** Where `tidegate serve` notes its process (`noteServed`); undefined: it is not told. */
  readonly processFile: string | undefined;
}

export class BalancedClients {
  readonly #options: BalancedClientsOptions;

  constructor(options: BalancedClientsOptions) {
    this.#options = options;
  }

  /** What is asked meanwhile is still answered: the process waits for the new primary. */
  async leave(): Promise<void> {
    const { health, processFile } = this.#options;
    health.leave();
    if (processFile !== undefined) await signalServed(processFile, 'SIGUSR2');
  }

  async stay(): Promise<void> {
    this.#options.health.stay();
  }
}

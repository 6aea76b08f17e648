// A backend as its row holds it: the model's columns, with the words that some of them are limited to.
import type { Backend } from '../../../generated/prisma/client.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import type { Family } from '../drivers/driver.ts';

export type ProvisioningStatus = 'ENABLED' | 'DISABLED' | 'DELETED';
export type OperatingStatus = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';
/** What a device proves itself with. */
export type PresentedKind = 'HOST_KEY' | 'CERTIFICATE';

interface Words {
  readonly family: Family;
  readonly cryptoProfile: CryptoProfile;
  readonly presentedKind: PresentedKind | null;
  readonly provisioningStatus: ProvisioningStatus;
  readonly operatingStatus: OperatingStatus;
  readonly circuitState: CircuitState;
}

/** As the graph shows it. `options` is JSON text, as the driver's optionsSchema has it. */
export interface BackendView extends Readonly<Omit<Backend, 'liveName' | keyof Words>>, Words {}

/** As calls go by it. */
export interface BackendRow extends BackendView {
  /** By the database's clock; null when it was never opened. */
  readonly circuitAgeMs: number | null;
}

// A backend's row: the model's columns, some with a restricted set of words.
import type { Backend } from '../../../generated/prisma/client.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import type { Family } from '../drivers/driver.ts';

export type ProvisioningStatus = 'ENABLED' | 'DISABLED' | 'DELETED';
export type OperatingStatus = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';
/** The device's proof of identity. */
export type PresentedKind = 'HOST_KEY' | 'CERTIFICATE';

interface Words {
  readonly family: Family;
  readonly cryptoProfile: CryptoProfile;
  readonly presentedKind: PresentedKind | null;
  readonly provisioningStatus: ProvisioningStatus;
  readonly operatingStatus: OperatingStatus;
  readonly circuitState: CircuitState;
}

/** For the graph. `options` is JSON text that matches the driver's optionsSchema. */
export interface BackendView extends Readonly<Omit<Backend, 'liveName' | keyof Words>>, Words {}

/** For calls. */
export interface BackendRow extends BackendView {
  /** By the database's clock; null when the circuit was never opened. */
  readonly circuitAgeMs: number | null;
}

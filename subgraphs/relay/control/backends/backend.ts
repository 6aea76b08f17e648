// A backend's row: the model's columns, some with a restricted set of words.
import type { Backend } from '../../../../generated/prisma/client.ts';
import type { CryptoProfile } from '../../../../platform/net/tls-profiles.ts';
import type { Family } from '../../drivers/driver.ts';

type ProvisioningStatus = 'ENABLED' | 'DISABLED' | 'DELETED';
type OperatingStatus = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';
/** The device's proof of identity. */
type PresentedKind = 'HOST_KEY' | 'CERTIFICATE';

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
  /**
   * The timeline in which it was read. It is needed because after a failover that loses writes, a version may be used again with
   * other content.
   */
  readonly timeline: number;
}

/** Whether `row` was read of a later state than `known`. */
export function isNewer(
  row: Pick<BackendRow, 'timeline' | 'version'>,
  known: Pick<BackendRow, 'timeline' | 'version'>,
): boolean {
  return row.timeline === known.timeline ? row.version > known.version : row.timeline > known.timeline;
}

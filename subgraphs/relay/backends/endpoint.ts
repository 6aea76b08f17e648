// From a backend's row to what is needed to speak to it: its driver, its endpoint with opened credentials, and what decides
// how calls to it are worded.
import { refuse } from '../../../platform/errors.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { BackendContext, Credentials, Driver, JsonObject } from '../drivers/driver.ts';
import { mainTransport } from '../drivers/options.ts';
import type { BackendEndpoint } from '../transports/wires.ts';
import type { BackendRow } from './backend.ts';
import type { CredentialRow } from './backend-store.ts';
import { openCredentials } from './credentials.ts';

/** Refuses NOT_SUPPORTED. */
export function driverOf(drivers: ReadonlyMap<string, Driver>, row: Pick<BackendRow, 'driver'>): Driver {
  return drivers.get(row.driver) ?? refuse('NOT_SUPPORTED', `this relay has no driver ${row.driver}`);
}

export function optionsOf(row: Pick<BackendRow, 'options'>): JsonObject {
  return JSON.parse(row.options) as JsonObject;
}

/** How calls to a backend are worded. */
export function contextOf(driver: Driver, row: Pick<BackendRow, 'options' | 'softwareVersion'>): BackendContext {
  const options = optionsOf(row);
  return { transport: mainTransport(driver, options), options, softwareVersion: row.softwareVersion };
}

/** Throws when a key is missing from the key file. */
export function openEndpoint(sealer: Sealer, backend: BackendRow, rows: readonly CredentialRow[]): BackendEndpoint {
  const { host, port, hostKeySha256, certificateSha256, caCertificates, cryptoProfile } = backend;
  const credentials: Credentials = { username: '', ...openCredentials(sealer, backend.id, rows) };
  const options = optionsOf(backend);
  return { host, port, hostKeySha256, certificateSha256, caCertificates, cryptoProfile, credentials, options };
}

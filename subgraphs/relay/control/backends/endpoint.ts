// From a backend's row to the data for calling it: its driver, its endpoint with opened credentials, and the properties that
// determine how calls are rendered.
import { createHash } from 'node:crypto';
import type { Database } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { BackendContext, Credentials, Driver, JsonObject } from '../../drivers/driver.ts';
import { mainTransport } from '../../drivers/options.ts';
import type { BackendEndpoint } from '../../transports/wires.ts';
import { type BackendRow, isNewer } from './backend.ts';
import { type CredentialRow, credentialsOf, readBackend } from './backend-store.ts';
import { openCredentials } from './credentials.ts';
import { addressDigest } from './secret-address.ts';

/** Refuses NOT_SUPPORTED. */
export function driverOf(drivers: ReadonlyMap<string, Driver>, row: Pick<BackendRow, 'driver'>): Driver {
  return drivers.get(row.driver) ?? refuse('NOT_SUPPORTED', `this relay has no driver ${row.driver}`);
}

export function optionsOf(row: Pick<BackendRow, 'options'>): JsonObject {
  return JSON.parse(row.options) as JsonObject;
}

/** The properties that determine how calls to a backend are rendered. */
export function contextOf(driver: Driver, row: Pick<BackendRow, 'options' | 'softwareVersion'>): BackendContext {
  const options = optionsOf(row);
  return { transport: mainTransport(driver, options), options, softwareVersion: row.softwareVersion };
}

/** Refuses CREDENTIALS_UNUSABLE. */
export function openEndpoint(sealer: Sealer, backend: BackendRow, rows: readonly CredentialRow[]): BackendEndpoint {
  const { host, port, hostKeySha256, certificateSha256, caCertificates, cryptoProfile } = backend;
  const credentials: Credentials = { username: '', ...openCredentials(sealer, backend, rows) };
  const options = optionsOf(backend);
  return { host, port, hostKeySha256, certificateSha256, caCertificates, cryptoProfile, credentials, options };
}

/** Equal only for the same address and the same sealed credentials. */
export function configurationOf(backend: BackendRow, rows: readonly CredentialRow[]): string {
  const sealed = rows.map((row) => [row.field, Buffer.from(row.sealed).toString('base64')]);
  return createHash('sha256')
    .update(JSON.stringify([addressDigest(backend), sealed]))
    .digest('hex');
}

const mostReads = 3;

/**
 * The endpoint of a row that was just read, with its row: a newer one, if the backend was changed between the reads. Credentials
 * of one address are never used at another. Refuses CREDENTIALS_UNUSABLE.
 */
export async function readEndpoint(
  { db, sealer }: { readonly db: Database; readonly sealer: Sealer },
  known: BackendRow,
): Promise<{ readonly row: BackendRow; readonly endpoint: BackendEndpoint; readonly configuration: string }> {
  let row = known;
  for (let read = 1; ; read += 1) {
    const rows = (await credentialsOf(db, [row.id])).get(row.id) ?? [];
    try {
      return { row, endpoint: openEndpoint(sealer, row, rows), configuration: configurationOf(row, rows) };
    } catch (error) {
      const fresh = read < mostReads ? await readBackend(db, row.id) : undefined;
      if (fresh === undefined || !isNewer(fresh, row)) throw error;
      row = fresh;
    }
  }
}

// The input of backendCreate and backendUpdate: validated as a whole, with all faults at once, and turned into the values of the
// backend's row.
import type {
  BackendCreateInput,
  BackendCredentialsInput,
  BackendUpdateInput,
} from '../../../../generated/graph/relay.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Driver } from '../../drivers/driver.ts';
import { withDefaults } from '../../drivers/options.ts';
import type { BackendRow } from './backend.ts';
import {
  canonicalFingerprint,
  checkCaCertificates,
  checkCertificate,
  checkCredentials,
  checkHostKey,
  checkLabels,
  checkLimits,
  checkName,
  checkOptions,
  checkSite,
  defaultLimits,
  usualPort,
} from './backend-input.ts';
import type { BackendChange, LabelRow, NewBackend } from './backend-store.ts';
import { closedCircuit } from './circuit.ts';
import { optionsOf } from './endpoint.ts';
import { checkReach } from './reach.ts';

/** A valid new backend. */
export interface BackendDraft {
  readonly row: Omit<NewBackend, 'id' | 'projectId'>;
  readonly labels: readonly LabelRow[];
  readonly credentials: BackendCredentialsInput;
}

export const nothingPresented = { presentedKind: null, presentedSha256: null } as const;

/** Refuses with all faults of the input. */
export function draftOf(
  check: InputCheck,
  input: BackendCreateInput,
  drivers: ReadonlyMap<string, Driver>,
  egress: EgressPolicy,
): BackendDraft {
  checkName(check, 'name', input.name);
  const driver = drivers.get(input.driver);
  const named = JSON.stringify(input.driver.slice(0, 80));
  if (driver === undefined)
    check.fault('driver', `no driver is named ${named}; there are: ${[...drivers.keys()].join(', ')}`);
  checkSite(check, input.site);
  checkLabels(check, input.labels);
  check.host('host', input.host);
  if (input.port != null) check.port('port', input.port);
  checkLimits(check, input.limits);
  checkHostKey(check, input.hostKeySha256);
  checkCertificate(check, input.certificateSha256);
  checkCaCertificates(check, input.caCertificates);
  if (driver !== undefined) checkOptions(check, input.options ?? {}, driver);
  checkCredentials(check, input.credentials, driver);
  check.throwIfAny();
  if (driver === undefined) throw new Refusal(check.errors);
  const row = rowOf(input, driver);
  const reach = { host: row.host, port: row.port, options: optionsOf(row) };
  checkReach(check, egress, driver, reach, { host: true, port: true, options: true });
  check.throwIfAny();
  return { row, labels: input.labels ?? [], credentials: input.credentials };
}

/** Faults of an update that do not depend on the stored backend. */
export function checkUpdate(check: InputCheck, input: BackendUpdateInput): void {
  checkSite(check, input.site);
  checkLabels(check, input.labels);
  if (input.host != null) check.host('host', input.host);
  if (input.port != null) check.port('port', input.port);
  checkLimits(check, input.limits);
  checkHostKey(check, input.hostKeySha256);
  checkCertificate(check, input.certificateSha256);
  checkCaCertificates(check, input.caCertificates);
  if (input.dropCredentials === true && input.credentials != null)
    check.fault('dropCredentials', 'dropCredentials deletes the stored credentials: send none, or leave it out');
}

/** Faults that depend on its driver, or on unchanged fields. */
export function checkUpdateFor(
  check: InputCheck,
  input: BackendUpdateInput,
  row: Pick<BackendRow, 'host' | 'port' | 'options'>,
  driver: Driver | undefined,
  egress: EgressPolicy,
): void {
  const { host, port, options, credentials } = input;
  if (credentials != null) checkCredentials(check, credentials, driver);
  if (driver === undefined) return;
  if (options != null) checkOptions(check, options, driver);
  if (check.errors.length > 0) return;
  const reach = {
    host: host ?? row.host,
    port: port ?? row.port,
    options: options == null ? optionsOf(row) : withDefaults(options, driver),
  };
  checkReach(check, egress, driver, reach, { host: host != null, port: port != null, options: options != null });
}

/** The changes of an update in the row: what it has already is none. */
export function changeOf(input: BackendUpdateInput, driver: Driver | undefined, row: BackendRow): BackendChange {
  const { site, host, port, cryptoProfile, allowInit, separateObjects } = input;
  const { caCertificates, options, credentials, limits, enabled } = input;
  const { hostKeySha256, certificateSha256: sent } = input;
  const certificateSha256 = sent == null ? sent : canonicalFingerprint(sent);
  const reach = differing(row, {
    ...withoutNulls({ host, port, separateObjects }),
    ...(options == null ? {} : { options: JSON.stringify(withDefaults(options, driver)) }),
    // Null clears them.
    ...{ hostKeySha256, certificateSha256, caCertificates },
  });
  const change = differing(row, {
    ...withoutNulls({ cryptoProfile, allowInit, ...limits }),
    site,
    ...(enabled == null ? {} : { provisioningStatus: enabled ? ('ENABLED' as const) : ('DISABLED' as const) }),
  });
  return {
    ...reach,
    ...change,
    // Nobody checks it: whether it is online is not known, and it is not down either.
    ...(change.provisioningStatus === 'DISABLED' ? { operatingStatus: 'UNKNOWN' } : {}),
    // The update may correct the cause of the open circuit.
    ...(Object.keys(reach).length > 0 || credentials != null ? { ...closedCircuit, ...nothingPresented } : {}),
  };
}

function rowOf(input: BackendCreateInput, driver: Driver): BackendDraft['row'] {
  const options = withDefaults(input.options ?? {}, driver);
  return {
    name: input.name,
    family: driver.family,
    driver: driver.name,
    site: input.site ?? null,
    host: input.host,
    port: input.port ?? usualPort(driver, options),
    ...defaultLimits,
    ...withoutNulls(input.limits),
    cryptoProfile: input.cryptoProfile ?? 'MODERN',
    allowInit: input.allowInit ?? false,
    separateObjects: input.separateObjects ?? false,
    hostKeySha256: input.hostKeySha256 ?? null,
    certificateSha256: input.certificateSha256 == null ? null : canonicalFingerprint(input.certificateSha256),
    caCertificates: input.caCertificates ?? null,
    options: JSON.stringify(options),
  };
}

type WithoutNulls<T> = { [Field in keyof T]?: NonNullable<T[Field]> };

function withoutNulls<T extends object>(value: T | null | undefined): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, member]) => member != null)) as WithoutNulls<T>;
}

/** Without what is left out, and without what the row has already. */
function differing<Change extends BackendChange>(row: BackendRow, change: Change): Change {
  const has = row as unknown as Readonly<Record<string, unknown>>;
  const entries = Object.entries(change).filter(([name, value]) => value !== undefined && value !== has[name]);
  return Object.fromEntries(entries) as unknown as Change;
}

// Reads one backend of an import file: checks the kinds of its fields, then their values with the relay's own checks, and reads its
// secrets from files or the environment. No message repeats a value that may be a secret.
import type { BackendCryptoProfile } from '../../generated/cli/graphql.ts';
import { InputCheck } from '../../platform/input/input.ts';
import {
  checkCaCertificates,
  checkCertificate,
  checkCredentials,
  checkHostKey,
  checkLabels,
  checkLimits,
  checkName,
  checkSite,
} from '../../subgraphs/relay/control/backends/backend-input.ts';
import { type BackendCredentialsInput, credentialFields } from '../../subgraphs/relay/control/backends/credentials.ts';
import { readPlaced, readSecret, type SecretPlaces } from '../secrets.ts';

type LimitName = (typeof limitNames)[number];

/** A backend of the file. Undefined fields stay unchanged. */
export interface ImportEntry {
  readonly name: string;
  readonly driver: string;
  readonly host: string;
  /** Optional for an existing backend. */
  readonly credentials?: BackendCredentialsInput;
  readonly site?: string;
  readonly labels?: readonly { readonly name: string; readonly value: string }[];
  readonly port?: number;
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
  readonly cryptoProfile?: BackendCryptoProfile;
  readonly allowInit?: boolean;
  readonly separateObjects?: boolean;
  readonly deletionProtected?: boolean;
  readonly hostKeySha256?: string;
  readonly certificateSha256?: string;
  readonly caCertificates?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface EntryFault {
  readonly path: readonly string[];
  readonly message: string;
}

type Kind = 'text' | 'number' | 'flag' | 'map';

const kinds: Readonly<Record<string, Kind>> = {
  name: 'text',
  driver: 'text',
  site: 'text',
  labels: 'map',
  host: 'text',
  port: 'number',
  limits: 'map',
  cryptoProfile: 'text',
  allowInit: 'flag',
  separateObjects: 'flag',
  deletionProtected: 'flag',
  hostKeySha256: 'text',
  certificateSha256: 'text',
  caCertificates: 'text',
  caCertificatesFile: 'text',
  options: 'map',
  credentials: 'map',
};
const wants: Readonly<Record<Kind, string>> = {
  text: 'must be text: write it in quotes',
  number: 'must be a number',
  flag: 'must be true or false',
  map: 'must be a map of names and values',
};
const required = ['name', 'driver', 'host'];
export const limitNames = ['concurrency', 'queueLimit', 'deadlineMs'] as const;
const cryptoProfiles: readonly BackendCryptoProfile[] = ['MODERN', 'COMPAT', 'LEGACY'];
const mostShown = 40;

/** The fields of an entry with the right type, and every fault. */
export async function readEntry(
  value: unknown,
  places: SecretPlaces,
): Promise<{ readonly entry: Partial<ImportEntry>; readonly faults: readonly EntryFault[] }> {
  if (!isPlainMap(value))
    return { entry: {}, faults: [{ path: [], message: 'a backend must be a map of names and values' }] };
  const faults: EntryFault[] = [];
  const sound: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) faults.push({ path: [name], message: unknownField(name, Object.keys(kinds)) });
    else if (kindOf(member) !== kind) faults.push({ path: [name], message: `${name} ${wants[kind]}` });
    else sound[name] = member;
  }
  for (const name of required) if (!(name in value)) faults.push({ path: [], message: `${name} is missing` });
  const { caCertificatesFile, credentials, labels, limits, ...plain } = sound;
  const inside = (field: string, map: unknown, kind: Kind, known?: readonly string[]) =>
    checkedMembers(field, map as Record<string, unknown> | undefined, kind, known, faults);
  const labelled = inside('labels', labels, 'text') as Record<string, string> | undefined;
  const limited = inside('limits', limits, 'number', limitNames);
  const secrets = await readCredentials(credentials, places, faults);
  const certificates = await readCertificates(plain.caCertificates, caCertificatesFile, places, faults);
  const entry = {
    ...plain,
    ...(labelled && { labels: Object.entries(labelled).map(([name, text]) => ({ name, value: text })) }),
    ...(limited && { limits: limited }),
    ...(secrets && { credentials: secrets }),
    ...(certificates !== undefined && { caCertificates: certificates }),
  } as Partial<ImportEntry>;
  return { entry, faults: [...faults, ...valueFaults(entry, 'credentials' in sound && secrets !== undefined)] };
}

/** The relay's own checks and messages for a backend's fields. */
function valueFaults(entry: Partial<ImportEntry>, credentialsRead: boolean): EntryFault[] {
  const check = new InputCheck();
  if (entry.name !== undefined) checkName(check, 'name', entry.name);
  if (entry.host !== undefined) check.host('host', entry.host);
  if (entry.port !== undefined) check.port('port', entry.port);
  checkSite(check, entry.site);
  checkLabels(check, entry.labels);
  checkLimits(check, entry.limits);
  checkHostKey(check, entry.hostKeySha256);
  checkCertificate(check, entry.certificateSha256);
  checkCaCertificates(check, entry.caCertificates);
  if (entry.cryptoProfile !== undefined && !cryptoProfiles.includes(entry.cryptoProfile))
    check.fault('cryptoProfile', `cryptoProfile must be one of ${cryptoProfiles.join(', ')}`);
  if (credentialsRead && entry.credentials !== undefined) checkCredentials(check, entry.credentials, undefined);
  return check.errors.map(({ field, message }) => {
    const [, name = '', index, ...rest] = field;
    // Labels are a map in the file and a list in the graph.
    const label = name === 'labels' ? entry.labels?.[Number(index)]?.name : undefined;
    return { path: label === undefined ? field.slice(1) : ['labels', label, ...rest], message };
  });
}

function checkedMembers(
  field: string,
  map: Record<string, unknown> | undefined,
  kind: Kind,
  known: readonly string[] | undefined,
  faults: EntryFault[],
): Record<string, unknown> | undefined {
  if (map === undefined) return undefined;
  const sound: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(map)) {
    const path = [field, name];
    if (known !== undefined && !known.includes(name))
      faults.push({ path, message: `${field}: ${unknownField(name, known)}` });
    else if (kindOf(member) !== kind) faults.push({ path, message: `${field}.${name} ${wants[kind]}` });
    else sound[name] = member;
  }
  return sound;
}

/** Undefined if one of them has a fault. */
async function readCredentials(
  map: unknown,
  places: SecretPlaces,
  faults: EntryFault[],
): Promise<BackendCredentialsInput | undefined> {
  if (map === undefined) return undefined;
  const read: Record<string, string> = {};
  const before = faults.length;
  for (const [name, member] of Object.entries(map as Record<string, unknown>)) {
    const fault = (message: string) => faults.push({ path: ['credentials', name], message });
    if (!(credentialFields as readonly string[]).includes(name))
      // The name is not repeated, because it may be a secret in the place of a name.
      fault(`credentials has an unknown field; the fields are ${credentialFields.join(', ')}`);
    else if (name === 'username') {
      if (typeof member === 'string') read[name] = member;
      else fault(`credentials.username ${wants.text}`);
    } else {
      const secret = await readSecret(`credentials.${name}`, member, places);
      if (secret.ok) read[name] = secret.value;
      else fault(secret.message);
    }
  }
  if (!Object.hasOwn(map as object, 'username'))
    faults.push({ path: ['credentials'], message: 'credentials.username is missing' });
  return faults.length === before ? (read as unknown as BackendCredentialsInput) : undefined;
}

async function readCertificates(
  inline: unknown,
  file: unknown,
  places: SecretPlaces,
  faults: EntryFault[],
): Promise<string | undefined> {
  if (file === undefined) return inline as string | undefined;
  const fault = (message: string) => faults.push({ path: ['caCertificatesFile'], message });
  if (inline !== undefined) fault('give caCertificates or caCertificatesFile, not both');
  const read = await readPlaced(file as string, places);
  if (!read.ok) fault(`caCertificatesFile: ${read.message}`);
  return read.ok ? read.value : undefined;
}

function unknownField(name: string, known: readonly string[]): string {
  return `${JSON.stringify(name.slice(0, mostShown))} is not a field; the fields are ${known.join(', ')}`;
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): Kind | undefined {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'flag';
  return isPlainMap(value) ? 'map' : undefined;
}

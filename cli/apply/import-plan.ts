// The plan of an import: compares each backend of the file with the existing one of that name. Pure. Secrets are not compared,
// because the graph never shows them.
import type {
  ExistingBackendFragment as ExistingBackend,
  KnownDriverFragment as KnownDriver,
} from '../../generated/cli/graphql.ts';
import { graphql } from '../../generated/cli/index.ts';
import { type CheckedObject, validateObject } from '../../platform/input/json-schema.ts';
import { canonicalJson, type JsonObject } from '../../platform/values/json.ts';
import { canonicalFingerprint } from '../../subgraphs/relay/control/backends/backend-input.ts';
import { type EntryFault, type ImportEntry, limitNames } from './import-entry.ts';
import type { FoundEntry, ImportFault, ImportFile } from './import-file.ts';
import type { Change, Step } from './step.ts';

graphql(`
  fragment ExistingBackend on Backend {
    id version name driverName site labels { name value } host port
    limits { concurrency queueLimit deadlineMs }
    cryptoProfile allowInit separateObjects deletionProtected hostKeySha256 certificateSha256 caCertificates options credentialFields
  }
`);
graphql(`
  fragment KnownDriver on RelayDriver { name optionsSchema credentialFields }
`);

export const existingDocument = graphql(`
  query ImportBackends($projectId: ID, $first: Int, $after: String) {
    backends(projectId: $projectId, first: $first, after: $after) {
      nodes { ...ExistingBackend }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const driversDocument = graphql(`
  query ImportDrivers { relayDrivers { ...KnownDriver } }
`);

interface Plan {
  readonly steps: readonly Step[];
  readonly faults: readonly ImportFault[];
}

/** `projectId`: project of new backends. */
export function planImport(
  file: Pick<ImportFile, 'entries' | 'faulty'>,
  existing: readonly ExistingBackend[],
  drivers: readonly KnownDriver[],
  options: { readonly renewCredentials: boolean; readonly projectId?: string | undefined },
): Plan {
  const driverOf = ({ driver }: Partial<ImportEntry>) => drivers.find((each) => each.name === driver);
  const byName = Map.groupBy(existing, ({ name }) => name);
  const named = ({ name }: Partial<ImportEntry>) => byName.get(name ?? '') ?? [];
  const faults = [...file.entries, ...file.faulty].flatMap(({ entry, lineOf }): ImportFault[] => {
    const driver = driverOf(entry);
    const unknown = entry.driver !== undefined && driver === undefined;
    const known = drivers.map((each) => each.name).join(', ');
    const found: EntryFault[] = [
      ...(unknown ? [{ path: ['driver'], message: `no driver has that name; the drivers are ${known}` }] : []),
      ...(driver === undefined ? [] : driverFaults(entry, driver)),
      ...placeFaults(entry, named(entry)),
    ];
    return found.map(({ path, message }) => ({ line: lineOf(path), backend: entry.name ?? null, message }));
  });
  for (const { entry, lineOf } of file.entries)
    if (entry.credentials === undefined && named(entry).length === 0)
      faults.push({ line: lineOf(missing.path), backend: entry.name, message: missing.message });
  const steps = file.entries.map((found) => {
    const [here] = named(found.entry);
    return stepFor(found, here, driverOf(found.entry), options);
  });
  return { steps, faults };
}

const missing: EntryFault = { path: [], message: 'credentials is missing: the backend is new' };

/** Conflicts of the file's backend with existing ones. */
function placeFaults(entry: Partial<ImportEntry>, here: readonly ExistingBackend[]): EntryFault[] {
  if (here.length > 1)
    return [{ path: ['name'], message: 'several projects have a backend of that name: give --project' }];
  const [one] = here;
  if (one === undefined || entry.driver === undefined || one.driverName === entry.driver) return [];
  const message = `the backend has the driver ${one.driverName}, which can't be changed: delete the backend first`;
  return [{ path: ['driver'], message }];
}

function stepFor(
  found: FoundEntry,
  here: ExistingBackend | undefined,
  driver: KnownDriver | undefined,
  { renewCredentials, projectId }: Parameters<typeof planImport>[3],
): Step {
  const { entry, line } = found;
  const { username: _public, ...credentials } = entry.credentials ?? { username: '' };
  const secrets = Object.values(credentials).filter((value) => typeof value === 'string');
  const lineOf = (field: readonly string[]) => found.lineOf(field);
  const common = { kind: 'Backend', name: entry.name, line, secrets, lineOf };
  if (here === undefined) {
    const input = { ...(projectId === undefined ? {} : { projectId }), ...entry } as unknown as JsonObject;
    return { ...common, action: 'create', changes: [], id: null, request: { mutation: 'backendCreate', input } };
  }
  const { id, version } = here;
  const changed = differences(entry, here, driver);
  const isGiven = entry.credentials !== undefined;
  const isOther = [...here.credentialFields].sort().join() !== fieldsOf(entry).join();
  // The server refuses such a change without them. It decides which options count.
  const mayMove = changed.some((name) => movesCredentials.has(name));
  if (isGiven && (isOther || mayMove || renewCredentials)) changed.push('credentials');
  if (changed.length === 0) return { ...common, action: 'nothing', changes: [], id };
  const roots = new Set(changed.map((name) => name.split('.')[0]));
  const parts = Object.entries(entry).filter(([name]) => roots.has(name));
  const input = { id, expectedVersion: version, ...Object.fromEntries(parts) } as unknown as JsonObject;
  const changes = changed.map((field) => changeOf(field, entry, here));
  return { ...common, action: 'update', changes, id, request: { mutation: 'backendUpdate', input } };
}

/** Only values of plain fields and limits, because others are long or secret. */
function changeOf(field: string, entry: ImportEntry, here: ExistingBackend): Change {
  const plain = plainFields.find((name) => name === field);
  if (plain !== undefined) return { field, from: here[plain], to: entry[plain] };
  const limit = limitNames.find((name) => `limits.${name}` === field);
  return limit === undefined ? { field } : { field, from: here.limits[limit], to: entry.limits?.[limit] };
}

/** Fields that could redirect the credentials. The credentials are sent along with them. */
const movesCredentials: ReadonlySet<string> = new Set([
  ...['host', 'port', 'cryptoProfile', 'hostKeySha256', 'certificateSha256', 'caCertificates', 'options'],
]);

const plainFields = [
  'site',
  'host',
  'port',
  'cryptoProfile',
  'allowInit',
  'separateObjects',
  'deletionProtected',
  'hostKeySha256',
  'certificateSha256',
] as const;

/** Names of the fields that differ from the file. */
function differences(entry: ImportEntry, here: ExistingBackend, driver: KnownDriver | undefined): string[] {
  const { certificateSha256: given } = entry;
  const wants = { ...entry, ...(given === undefined ? {} : { certificateSha256: canonicalFingerprint(given) }) };
  const changed: string[] = plainFields.filter((name) => wants[name] !== undefined && wants[name] !== here[name]);
  for (const name of limitNames) {
    const wanted = entry.limits?.[name];
    if (wanted !== undefined && here.limits[name] !== wanted) changed.push(`limits.${name}`);
  }
  if (entry.labels !== undefined && labelText(entry.labels) !== labelText(here.labels)) changed.push('labels');
  if (entry.caCertificates !== undefined && entry.caCertificates.trim() !== here.caCertificates?.trim())
    changed.push('caCertificates');
  if (entry.options !== undefined && canonicalJson(withDefaults(entry, driver)) !== canonicalJson(here.options))
    changed.push('options');
  return changed;
}

function driverFaults(entry: Partial<ImportEntry>, driver: KnownDriver): EntryFault[] {
  const checked = checkedOptions(entry, driver);
  const faults = checked.ok
    ? []
    : checked.faults.map(({ path, message }) => {
        const whole = ['options', ...path];
        return {
          path: whole,
          message: `${whole.join('.')} ${message}; see the optionsSchema of driver ${driver.name}`,
        };
      });
  const unused = fieldsOf(entry).filter((field) => !driver.credentialFields.includes(field));
  const refused = unused.map((field) => ({
    path: ['credentials', field],
    message: `credentials.${field}: not used by the driver ${driver.name}`,
  }));
  return [...faults, ...refused];
}

function withDefaults(entry: ImportEntry, driver: KnownDriver | undefined): unknown {
  const checked = driver === undefined ? undefined : checkedOptions(entry, driver);
  return checked?.ok === true ? checked.args : entry.options;
}

/** Only the server checks a schema that this program can't read (a newer server's). */
function checkedOptions(entry: Partial<ImportEntry>, driver: KnownDriver): CheckedObject {
  const given = (entry.options ?? {}) as JsonObject;
  try {
    return validateObject(driver.optionsSchema as JsonObject, given);
  } catch {
    return { ok: true, args: given };
  }
}

/** Names only. */
function fieldsOf(entry: Partial<ImportEntry>): string[] {
  return Object.keys(entry.credentials ?? {}).sort();
}

function labelText(labels: ExistingBackend['labels']): string {
  return JSON.stringify(labels.map(({ name, value }) => [name, value]).sort());
}

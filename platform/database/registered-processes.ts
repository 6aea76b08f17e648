// The processes that use this database. Each registers itself with its keys (keys/known-keys.ts), under its own lease.
import { isNoTable, MigrationError } from '../errors/database-errors.ts';

export interface RegisteredProcess {
  /** UUID of this incarnation. */
  readonly owner: string;
  /** Null while it starts. */
  readonly name: string | null;
  /** Null for 0.2.0, which does not register it. The same applies to the following fields. */
  readonly version: string | null;
  readonly commit: string | null;
  readonly roles: readonly string[];
  /** The name of the machine that it runs on. */
  readonly host: string | null;
  /** TIME_NAME of the newest migration that it knows. */
  readonly newestMigration: string | null;
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Its leases have ended when it is silent for longer. */
  readonly live: boolean;
}

export type NamedProcess = RegisteredProcess & { readonly name: string };

interface Reader {
  query<Row>(sql: string): Promise<Row[]>;
}

interface Row {
  readonly owner: string;
  readonly name: string;
  readonly started_at: Date;
  readonly at: Date;
  readonly isLive: number | bigint;
  /** This and the following columns do not exist in the table of 0.2.0. */
  readonly version?: string | null;
  readonly commit_hash?: string | null;
  readonly roles?: string | null;
  readonly host?: string | null;
  readonly newest_migration?: string | null;
}

/** More than any installation has: a process that ends at once, again and again, leaves a row each time. Live ones come first. */
const mostProcesses = 1_000;
const processesSql = `SELECT *, ABS(TIMESTAMPDIFF(SECOND, at, NOW(3))) <= 60 AS isLive FROM process_keys
  ORDER BY at DESC LIMIT ${mostProcesses}`;
// A process takes its lease before it reads or writes any other table, and registers before it serves.
const startingSql = `SELECT owner FROM lease
  WHERE name LIKE 'process/process/%' AND expires_at > NOW(3) AND owner NOT IN (SELECT owner FROM process_keys) ORDER BY owner`;
const nothingKnown = { version: null, commit: null, roles: [], host: null, newestMigration: null };

/** By name. Also those that ended without saying so, for a day. Empty if nothing ever ran on this database. */
export async function registeredProcesses(db: Reader): Promise<readonly NamedProcess[]> {
  const rows = await rowsOf(db.query<Row>(processesSql));
  const key = ({ name, owner }: Row) => `${name} ${owner}`;
  const sorted = rows.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  return sorted.map((row) => ({
    ...{ owner: row.owner, name: row.name, startedAt: row.started_at, seenAt: row.at, live: Number(row.isLive) === 1 },
    ...{ version: row.version ?? null, commit: row.commit_hash ?? null, roles: row.roles?.split(',') ?? [] },
    ...{ host: row.host ?? null, newestMigration: row.newest_migration ?? null },
  }));
}

/** They are live, and have not registered yet. */
export async function startingProcesses(db: Reader): Promise<readonly RegisteredProcess[]> {
  const starting = await rowsOf(db.query<{ owner: string }>(startingSql));
  const now = new Date();
  return starting.map(({ owner }) => ({
    ...nothingKnown,
    ...{ owner, name: null, startedAt: now, seenAt: now, live: true },
  }));
}

/** The live processes that do not know the migration, and those that start: they may use what it removes. */
export async function olderProcesses(db: Reader, migration: string): Promise<readonly RegisteredProcess[]> {
  const named = await registeredProcesses(db);
  return [
    ...(await startingProcesses(db)),
    ...named.filter(({ live, newestMigration }) => live && (newestMigration ?? '') < migration),
  ];
}

/** Throws MigrationError if a live process belongs to a release with which this version can't run at the same time. */
export function refuseFarProcesses(processes: readonly NamedProcess[], version: string): void {
  const fault = farFault(processes, version);
  if (fault !== undefined) throw fault;
}

/** Undefined if this version can run beside all live processes. */
export function farFault(processes: readonly NamedProcess[], version: string): MigrationError | undefined {
  const far = processes.filter((each) => each.live && !areNeighbours(versionOf(each), version));
  if (far.length === 0) return undefined;
  return new MigrationError(
    `version ${version} can't run beside ${far.map(describeProcess).join(', ')}: only neighbouring releases run at the same time. Upgrade release by release, or stop all processes first`,
  );
}

export function versionOf({ version }: RegisteredProcess): string {
  return version ?? registersNoVersion;
}

const registersNoVersion = '0.2.0';

/** Of one release, or of two that follow each other: MAJOR.MINOR. The first of a major follows every release of the major before. */
export function areNeighbours(one: string, other: string): boolean {
  const [a, b] = [releaseOf(one), releaseOf(other)].sort((x, y) => x.major - y.major || x.minor - y.minor) as [
    Release,
    Release,
  ];
  return a.major === b.major ? b.minor - a.minor <= 1 : b.major - a.major === 1 && b.minor === 0;
}

interface Release {
  readonly major: number;
  readonly minor: number;
}

function releaseOf(version: string): Release {
  const [major = 0, minor = 0] = version.split('.', 2).map(Number);
  return { major, minor };
}

function rowsOf<Found>(found: Promise<Found[]>): Promise<Found[]> {
  return found.catch((error: unknown) => {
    if (isNoTable(error)) return [];
    throw error;
  });
}

/** For people: `control-1 (system,relay on host-1, version 0.3.0)`. */
export function describeProcess({ owner, name, roles, host, version }: RegisteredProcess): string {
  if (name === null) return `${owner} (it starts)`;
  if (version === null) return `${name} (version 0.2.0)`;
  return `${name} (${roles.join(',')} on ${host ?? name}, version ${version})`;
}

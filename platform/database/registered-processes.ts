// The processes that use this database. Each registers itself with its keys (keys/known-keys.ts), under its own lease.
import { isNoTable } from '../errors/database-errors.ts';

export interface RegisteredProcess {
  /** UUID of this incarnation. */
  readonly owner: string;
  /** Undefined while it starts. */
  readonly name: string | undefined;
  /** Undefined for 0.2.0, which does not register it. The same applies to the following fields. */
  readonly version: string | undefined;
  readonly commit: string | undefined;
  readonly roles: readonly string[];
  /** The name of the machine that it runs on. */
  readonly host: string | undefined;
  /** TIME_NAME of the newest migration that it knows. */
  readonly newestMigration: string | undefined;
  readonly startedAt: Date | undefined;
  /** It reports every 5 seconds. */
  readonly seenAgoMs: number;
}

interface Reader {
  query<Row>(sql: string): Promise<Row[]>;
}

type Row = { readonly [Key in keyof RegisteredProcess]: string | null } & {
  readonly startedAt: Date | null;
  readonly seenAgoMs: number | bigint;
};

/** A process that is silent for longer has ended, or is about to: its leases have. */
export const silentMs = 60_000;

// A process takes its lease before it reads or writes any other table, and registers before it serves.
const processesSql = `SELECT owner, name, version, commit_hash AS commit, roles, host, newest_migration AS newestMigration,
    started_at AS startedAt, ABS(TIMESTAMPDIFF(MICROSECOND, at, NOW(3))) DIV 1000 AS seenAgoMs FROM process_keys
  UNION ALL
  SELECT owner, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 FROM lease
    WHERE name LIKE 'process/process/%' AND expires_at > NOW(3) AND owner NOT IN (SELECT owner FROM process_keys)
  ORDER BY name, owner`;

/** By name. Also those that ended without saying so, for a day. */
export async function registeredProcesses(db: Reader): Promise<readonly RegisteredProcess[]> {
  const rows = await db.query<Row>(processesSql);
  return rows.map((row) => ({
    owner: String(row.owner),
    name: row.name ?? undefined,
    version: row.version ?? undefined,
    commit: row.commit ?? undefined,
    roles: row.roles?.split(',') ?? [],
    host: row.host ?? undefined,
    newestMigration: row.newestMigration ?? undefined,
    startedAt: row.startedAt ?? undefined,
    seenAgoMs: Number(row.seenAgoMs),
  }));
}

/** The live processes that do not know the migration: they may use what it removes. */
export async function olderProcesses(db: Reader, migration: string): Promise<readonly RegisteredProcess[]> {
  const processes = await registeredProcesses(db).catch((error: unknown) => {
    // Nothing ever ran on this database.
    if (isNoTable(error)) return [];
    throw error;
  });
  return processes.filter(
    ({ seenAgoMs, newestMigration }) => seenAgoMs <= silentMs && (newestMigration ?? '') < migration,
  );
}

/** For people: `control-1 (system,relay on host-1, version 0.2.0)`. */
export function describeProcess({ owner, name, roles, host, version }: RegisteredProcess): string {
  if (name === undefined) return `${owner} (it starts)`;
  if (version === undefined) return `${name} (version 0.2.0, or one before)`;
  return `${name} (${roles.join(',')} on ${host ?? name}, version ${version})`;
}

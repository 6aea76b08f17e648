// The processes that use this database. Each registers itself with its keys (keys/known-keys.ts), under its own lease.
import { isNoTable } from '../errors/database-errors.ts';

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

type Row = Omit<RegisteredProcess, 'roles' | 'live'> & { readonly roles: string | null; readonly live: number | bigint };

// A process takes its lease before it reads or writes any other table, and registers before it serves.
const processesSql = `SELECT owner, name, version, commit_hash AS commit, roles, host, newest_migration AS newestMigration,
    started_at AS startedAt, at AS seenAt, ABS(TIMESTAMPDIFF(SECOND, at, NOW(3))) <= 60 AS live FROM process_keys
  UNION ALL
  SELECT owner, NULL, NULL, NULL, NULL, NULL, NULL, NOW(3), NOW(3), TRUE FROM lease
    WHERE name LIKE 'process/process/%' AND expires_at > NOW(3) AND owner NOT IN (SELECT owner FROM process_keys)
  ORDER BY name, owner`;

/** By name, first those that start. Also those that ended without saying so, for a day. */
async function allProcesses(db: Reader): Promise<readonly RegisteredProcess[]> {
  const rows = await db.query<Row>(processesSql);
  return rows.map((row) => ({ ...row, roles: row.roles?.split(',') ?? [], live: Number(row.live) === 1 }));
}

export async function registeredProcesses(db: Reader): Promise<readonly NamedProcess[]> {
  return (await allProcesses(db)).filter((each): each is NamedProcess => each.name !== null);
}

/** The live processes that do not know the migration: they may use what it removes. */
export async function olderProcesses(db: Reader, migration: string): Promise<readonly RegisteredProcess[]> {
  const processes = await allProcesses(db).catch((error: unknown) => {
    // Nothing ever ran on this database.
    if (isNoTable(error)) return [];
    throw error;
  });
  return processes.filter(({ live, newestMigration }) => live && (newestMigration ?? '') < migration);
}

/** For people: `control-1 (system,relay on host-1, version 0.3.0)`. */
export function describeProcess({ owner, name, roles, host, version }: RegisteredProcess): string {
  if (name === null) return `${owner} (it starts)`;
  if (version === null) return `${name} (version 0.2.0, or one before)`;
  return `${name} (${roles.join(',')} on ${host ?? name}, version ${version})`;
}

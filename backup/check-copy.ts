// Whether the rebuilt data of a backup is the database that the manifest describes: its tables are whole, its migrations are known here, and its
// audit trail has the entry that was the last one when the copy began.
import { type MigrationOwner, pendingMigrations } from '../platform/database/migrate.ts';
import { MigrationError } from '../platform/errors/database-errors.ts';
import { fault, faultsOf } from './faults.ts';
import type { Manifest } from './manifest.ts';
import type { PrivateServer } from './private-server.ts';

export interface CheckedCopy {
  readonly tables: number;
  /** Null if it has no commits. */
  readonly newestWriteAt: Date | null;
  /** Migrations of this version that the database lacks. */
  readonly pending: readonly string[];
}

/** Throws BackupFaults with all that is wrong. */
export async function checkCopy(
  server: PrivateServer,
  manifest: Manifest,
  owners: readonly MigrationOwner[],
): Promise<CheckedCopy> {
  const tables = await server.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
    [manifest.database],
  );
  let pending: readonly string[] = [];
  const faults = await faultsOf(
    () => requireWholeTables(server, tables),
    () => requireAuditEntry(server, manifest),
    async () => {
      pending = await knownMigrations(server, owners);
    },
  );
  if (faults.length > 0) fault(...faults);
  const [newest] = await server.query<{ at: Date | null }>('SELECT MAX(at) AS at FROM commit_record');
  return { tables: tables.length, newestWriteAt: newest?.at ?? null, pending };
}

async function requireWholeTables(server: PrivateServer, tables: readonly { readonly name: string }[]): Promise<void> {
  if (tables.length === 0) fault('the copy has no tables');
  const named = tables.map(({ name }) => `\`${name}\``).join(', ');
  const results = await server.query<{ Table: string; Msg_type: string; Msg_text: string }>(`CHECK TABLE ${named}`);
  const wrong = results.filter(
    ({ Msg_type: type, Msg_text: text }) => type === 'error' || (type === 'status' && text !== 'OK'),
  );
  if (wrong.length > 0)
    fault(...wrong.map((each) => `the table ${each.Table} of the copy is damaged: ${each.Msg_text}`));
}

async function requireAuditEntry(server: PrivateServer, { audit: { position, hash } }: Manifest): Promise<void> {
  if (position === 0) return;
  const [end] = await server.query<{ first: number }>('SELECT first_position AS first FROM audit_chain WHERE id = 1');
  const [entry] = await server.query<{ hash: string }>('SELECT hash FROM audit_entry WHERE position = ?', [position]);
  if (entry?.hash === hash || (end !== undefined && end.first > position)) return;
  fault(`the audit trail of the copy has not the entry ${position} that the manifest names`);
}

/** Those that this version would add. */
async function knownMigrations(server: PrivateServer, owners: readonly MigrationOwner[]): Promise<readonly string[]> {
  try {
    return await pendingMigrations({ query: (sql) => server.query(sql) }, owners);
  } catch (error) {
    if (error instanceof MigrationError) return fault(error.message);
    throw error;
  }
}

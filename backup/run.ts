// A run of backups: a full copy if one is due, and the binary log since the newest copy. A run leaves nothing half done, so a killed one is
// simply repeated.
import type { MigrationOwner } from '../platform/database/migrate.ts';
import type { DatabaseLocation } from '../platform/database/server-pools.ts';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { encrypterFor } from './age-file.ts';
import { BackupFaults, fault, faultsOf } from './faults.ts';
import { makeFullCopy } from './full-copy.ts';
import { LocalServer } from './local-server.ts';
import { archiveLog, LogEndsError } from './log-archive.ts';
import type { Manifest } from './manifest.ts';
import { readManifest } from './open-backup.ts';
import { deleteOld, timeOf } from './retention.ts';
import type { S3Settings } from './s3-settings.ts';
import { S3Target } from './s3-target.ts';
import type { BackupTarget } from './target.ts';
import { targetAt } from './target-at.ts';

export interface RunOptions {
  /** Servers of the database, of which one runs on this host. */
  readonly locations: readonly DatabaseLocation[];
  /** A folder or `s3://BUCKET/PREFIX`. */
  readonly to: string;
  /** Settings of the object store. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly recipients: readonly string[];
  readonly keys: Keyring;
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Of all tables that a restore knows. */
  readonly owners: readonly MigrationOwner[];
  /** Of the database, that a copy reads. */
  readonly mebiPerSecond: number;
  /** A full copy is made if the newest is older. 0: always. */
  readonly fullAfterMs: number;
  readonly keep: number | undefined;
  readonly keepDays: number | undefined;
  readonly signal: AbortSignal;
}

export interface RunReport {
  /** The backup that the run made. Undefined if none was due. */
  readonly made: string | undefined;
  /** The newest backup. */
  readonly backup: string;
  readonly bytes: number;
  readonly pieces: number;
  readonly copiedAt: string;
  readonly newestWriteAt: string | null;
  readonly deleted: readonly string[];
  /** Things that a person should know. */
  readonly notes: readonly string[];
}

/** Throws BackupFaults. */
export async function runBackup(options: RunOptions): Promise<RunReport> {
  let target: BackupTarget | undefined;
  const faults = await faultsOf(
    async () => void encrypterFor(options.recipients),
    async () => {
      target = await targetAt(options.to, options.env);
    },
  );
  if (target === undefined || faults.length > 0) return fault(...faults);
  try {
    await using server = await LocalServer.find(options.locations);
    const { installation, migrations } = await server.databaseFacts();
    requireRestorable(migrations, options.owners);
    const to: BackupTarget = target;
    if (to instanceof S3Target) await refuseOwnCluster(server, to.client.settings);
    await to.claim(installation);
    return await to.alone(() => new Run(options, server, to).all());
  } catch (error) {
    throw withRights(error, options);
  }
}

/** People would rely on a backup that no restore accepts. */
function requireRestorable(migrations: Manifest['migrations'], owners: readonly MigrationOwner[]): void {
  const known = new Set(owners.map(({ owner }) => owner));
  const unknown = new Set(migrations.map(({ name }) => name.split('/')[0] ?? '').filter((owner) => !known.has(owner)));
  if (unknown.size > 0)
    fault(
      `the database has tables of ${[...unknown].join(', ')}, which no restore accepts: a cluster of object storage is recovered from the other clusters ("tidegate rings change --recover"); for tables of a newer version, use that version`,
    );
}

/** A backup in the storage that it has to restore would be lost with it. */
async function refuseOwnCluster(server: LocalServer, { endpoint, accessKeyId, bucket }: S3Settings): Promise<void> {
  const tables = await server.query(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name IN ('object_cluster', 'object_access_key')",
    [server.database],
  );
  if (tables.length < 2) return;
  const [own] = await server.query<{ name: string }>(
    `SELECT name FROM object_cluster WHERE deleted_at IS NULL AND JSON_CONTAINS(s3_urls, JSON_QUOTE(?))
     UNION ALL SELECT name FROM object_access_key WHERE access_key_id = ?`,
    [endpoint.origin, accessKeyId],
  );
  if (own !== undefined)
    fault(
      `the bucket ${bucket} is in this installation's own object storage (${own.name}), which a backup must not need: use another object store or a folder`,
    );
}

class Run {
  readonly #options: RunOptions;
  readonly #server: LocalServer;
  readonly #target: BackupTarget;
  readonly #notes: string[] = [];
  #pieces = 0;

  constructor(options: RunOptions, server: LocalServer, target: BackupTarget) {
    this.#options = options;
    this.#server = server;
    this.#target = target;
  }

  async all(): Promise<RunReport> {
    const { keep, keepDays } = this.#options;
    const before = (await this.#target.names()).at(-1);
    const goesOn = before !== undefined && (await this.#archive(before));
    const now = await this.#server.now();
    const isDue = before === undefined || now.getTime() - timeOf(before) >= this.#options.fullAfterMs;
    const made = goesOn && !isDue ? undefined : await this.#copy(goesOn ? before : undefined);
    const deleted = await deleteOld(this.#target, { keep, keepDays, now });
    const backup = made ?? before ?? '';
    const { data, copiedAt, newestWriteAt } = await readManifest(this.#target.root.at(backup), this.#options.keys);
    const figures = { bytes: data.bytes, pieces: this.#pieces, copiedAt, newestWriteAt };
    return { made, backup, ...figures, deleted, notes: this.#notes };
  }

  /** `before`: the backup whose log reaches up to the new copy, so that no moment is in neither. */
  async #copy(before: string | undefined): Promise<string> {
    const { name, manifest } = await makeFullCopy({
      ...this.#options,
      ...{ server: this.#server, target: this.#target },
    });
    if (manifest.gtid === null)
      this.#notes.push(
        'the server has no binary log: only the moments of full copies can be restored; switch on log_bin to restore any moment',
      );
    if (before !== undefined) await this.#archive(before);
    await this.#archive(name);
    return name;
  }

  /** False if the log can't go on. */
  async #archive(name: string): Promise<boolean> {
    const { keys, recipients } = this.#options;
    const place = this.#target.root.at(name);
    try {
      const manifest = await readManifest(place, keys);
      this.#pieces += await archiveLog({ server: this.#server, place, manifest, recipients, keys });
      return true;
    } catch (error) {
      if (!(error instanceof LogEndsError)) throw error;
      this.#notes.push(`the log of the backup ${name} ends: ${error.message}; a full copy begins a new one`);
      return false;
    }
  }
}

/** ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR and ER_SPECIFIC_ACCESS_DENIED_ERROR. */
const denied: ReadonlySet<unknown> = new Set([1044, 1045, 1142, 1227]);

function withRights(error: unknown, { locations: [first] }: RunOptions): unknown {
  if (!(error instanceof Error) || first === undefined) return error;
  const isDenied = denied.has((error as { errno?: unknown }).errno) || /access denied/i.test(error.message);
  if (!isDenied) return error;
  return new BackupFaults([
    `${error.message}. The account of a backup needs: GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR ON *.* TO '${first.user}'; GRANT SELECT ON \`${first.database}\`.* TO '${first.user}'`,
  ]);
}

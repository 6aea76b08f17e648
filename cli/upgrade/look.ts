// What an upgrade goes by. All of it is read from the database, so that an interrupted upgrade is simply run again.
import { databaseLocations, databaseMembers } from '../../compose/connections.ts';
import { Database } from '../../platform/database/database.ts';
import type { MigrationOwner } from '../../platform/database/migrate.ts';
import { type MigrationPlan, planMigrations } from '../../platform/database/migration-plan.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import {
  areNeighbours,
  describeProcess,
  farFault,
  type NamedProcess,
  type RegisteredProcess,
  registeredProcesses,
  startingProcesses,
  versionOf,
} from '../../platform/database/registered-processes.ts';
import type { RunningProgram } from '../../platform/keys/known-keys.ts';
import type { Config } from '../../platform/process/config.ts';
import { secondsSinceCheckIn } from '../../subgraphs/system/control/stores/last-check-in.ts';

export type Program = Omit<RunningProgram, 'roles'>;

export interface Look {
  /** By the clock of the database, as the times of processes. */
  readonly at: Date;
  readonly plan: MigrationPlan;
  readonly isReadOnly: boolean;
  /** All are live. */
  readonly processes: readonly NamedProcess[];
  /** They have no name yet. */
  readonly starting: readonly RegisteredProcess[];
  /** Of a cluster: the name of the primary's machine. */
  readonly primaryHost: string | undefined;
  /** Null if nothing has checked in yet. Undefined if the installation has no alert rule `backup`. */
  readonly backupAgeSeconds: number | null | undefined;
}

interface ServerRow {
  readonly at: Date;
  readonly readOnly: number;
  readonly host: string;
}

/** The usual one of `tidegate backup create --check-in`. */
const backupRule = 'backup';

/** The settings, and the owners as for `migrateTables`. */
export interface Installation {
  readonly config: Config;
  readonly owners: readonly MigrationOwner[];
  readonly others: readonly MigrationOwner[];
}

export async function lookAt({ config, owners, others }: Installation): Promise<Look> {
  const db = new Database({ connection: await primaryLocation(databaseLocations(config)), connectionLimit: 1 });
  try {
    const [server] = await db.query<ServerRow>('SELECT NOW(3) AS at, @@read_only AS readOnly, @@hostname AS host');
    const isCluster = config['ha.host'] !== undefined || databaseMembers(config).length > 0;
    return {
      at: server?.at ?? new Date(),
      plan: await planMigrations(db, owners, others),
      isReadOnly: Number(server?.readOnly) !== 0,
      processes: (await registeredProcesses(db)).filter(({ live }) => live),
      starting: await startingProcesses(db),
      primaryHost: isCluster ? server?.host : undefined,
      backupAgeSeconds: await secondsSinceCheckIn(db, backupRule),
    };
  } finally {
    await db.close();
  }
}

/** Everything that forbids the upgrade. */
export function faultsOf({ plan, isReadOnly, processes }: Look, program: Program): readonly string[] {
  const far = farFault(processes, program.version);
  return [
    ...(isReadOnly ? ['the database is read-only: end its read_only mode, or name the primary in database.host'] : []),
    ...plan.faults,
    ...(far === undefined ? [] : [far.message]),
    ...processes
      .filter((each) => areNeighbours(versionOf(each), program.version) && isNewer(each, program))
      .map(
        (each) => `${describeProcess(each)} is newer than this program (version ${program.version}): run its upgrade`,
      ),
  ];
}

function isNewer(each: NamedProcess, { version, newestMigration }: Program): boolean {
  // A pre-release counts as its release.
  const [theirs, ours] = [versionOf(each), version].map((text) => text.split('-', 1)[0] ?? '') as [string, string];
  return theirs.localeCompare(ours, 'en', { numeric: true }) > 0 || (each.newestMigration ?? '') > newestMigration;
}

/** Whether the process runs this program. Versions in development differ in their commit, or in their migrations. */
export function runs({ version, commit, newestMigration }: NamedProcess, program: Program): boolean {
  const isCommit = commit === null || program.commit === undefined || commit === program.commit;
  return version === program.version && newestMigration === program.newestMigration && isCommit;
}

// One run of `tidegate upgrade`: what it applies, and the reports of its looks at the database.
import { databaseLocations } from '../../compose/connections.ts';
import { migrateTables } from '../../platform/database/migrate.ts';
import { lastRelease } from '../../platform/database/migration-plan.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import { isConnectionLost, isReadOnly, NoPrimaryError } from '../../platform/errors/database-errors.ts';
import { CommandFaults } from '../failures.ts';
import { faultsOf, type Installation, type Look, lookAt, type Program } from './look.ts';
import { reportOf, type UpgradeReport } from './report.ts';
import { isComplete, type Steps, stepsOf } from './steps.ts';

interface UpgradeTask extends Installation {
  /** This program, the new version. */
  readonly program: Program;
  /** The processes should run the version before. */
  readonly back: boolean;
  /** Also apply what removes something. */
  readonly finish: boolean;
}

export class UpgradeRun {
  readonly #task: UpgradeTask;
  /** Names of processes that lived during this run. */
  readonly #seen = new Set<string>();
  #applied: readonly string[] = [];

  constructor(task: UpgradeTask) {
    this.#task = task;
  }

  /** Applies what only adds to the tables. Returns the age of the last backup. Throws CommandFaults, and changes nothing, if anything forbids it. */
  async begin(): Promise<Pick<Look, 'backupAgeSeconds'>> {
    const { program, back } = this.#task;
    const look = await lookAt(this.#task);
    const faults = [...faultsOf(look, program), ...(back ? noWayBack(look) : [])];
    if (faults.length > 0) throw new CommandFaults(faults);
    if (!back && look.plan.adding.length > 0) await this.#migrate(false);
    return look;
  }

  /** The report of one look, or why there is none: the primary moves during an upgrade. */
  async look(): Promise<UpgradeReport | string> {
    try {
      const { finish } = this.#task;
      const look = await lookAt(this.#task);
      const steps = stepsOf(look, { ...this.#task, seen: this.#seen });
      for (const { name } of look.processes) this.#seen.add(name);
      if (!finish || !isComplete(steps) || look.plan.removing.length === 0) return this.#report(look, steps);
      await this.#migrate(true);
      return this.#report(await lookAt(this.#task), steps);
    } catch (error) {
      if (isConnectionLost(error) || isReadOnly(error) || error instanceof NoPrimaryError)
        return `the database can't be used: ${(error as Error).message}`;
      throw error;
    }
  }

  #report(look: Look, steps: Steps): UpgradeReport {
    const applied = this.#applied;
    this.#applied = [];
    return reportOf(look, steps, { ...this.#task, applied });
  }

  async #migrate(removes: boolean): Promise<void> {
    const { config, owners, others, program } = this.#task;
    const connection = await primaryLocation(databaseLocations(config));
    const { applied } = await migrateTables(connection, owners, others, { version: program.version, removes });
    this.#applied = [...this.#applied, ...applied];
  }
}

function noWayBack({ plan: { removed } }: Look): readonly string[] {
  if (removed.length === 0) return [];
  return [
    `there is no way back to version ${lastRelease.version}: ${removed.join(', ')} removed what it uses. Restore a backup from before the upgrade`,
  ];
}

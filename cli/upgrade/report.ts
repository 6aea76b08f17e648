// What `tidegate upgrade` prints: the state for programs, and lines for people. Pure.
import { lastRelease } from '../../platform/database/migration-plan.ts';
import { describeProcess, type NamedProcess } from '../../platform/database/registered-processes.ts';
import type { Look, Program } from './look.ts';
import { isComplete, type Steps, settleSeconds } from './steps.ts';

export interface UpgradeReport {
  /** `RESTART`: `left` names the next process. `WAIT`: a process has ended, starts, or has just started. `FINISHED`: all live processes have the version. */
  readonly state: 'RESTART' | 'WAIT' | 'FINISHED';
  /** That the processes should have. */
  readonly version: string;
  /** Migrations that were applied since the last report. */
  readonly applied: readonly string[];
  /** Migrations that only `--finish` applies. */
  readonly removing: readonly string[];
  /** Whether the version before can still run on the tables. */
  readonly canGoBack: boolean;
  /** Whether the primary should move before the next restart. */
  readonly switchoverFirst: boolean;
  readonly done: readonly NamedProcess[];
  /** Processes to restart, the next one first. */
  readonly left: readonly NamedProcess[];
  /** Names of processes that ended during this run, and are not back. */
  readonly away: readonly string[];
  /** Number of processes that start. */
  readonly starting: number;
  /** The process that has just come back. */
  readonly settling: string | undefined;
}

interface Around {
  readonly program: Program;
  readonly back: boolean;
  readonly finish: boolean;
  readonly applied: readonly string[];
}

export function reportOf({ plan }: Look, steps: Steps, { program, back, finish, applied }: Around): UpgradeReport {
  const { done, left, away, starting, settling, needsSwitchover } = steps;
  const isFinished = isComplete(steps) && !(finish && plan.removing.length > 0);
  const isNext = left.length > 0 && away.length === 0 && starting === 0 && settling === undefined;
  return {
    state: isFinished ? 'FINISHED' : isNext ? 'RESTART' : 'WAIT',
    version: back ? lastRelease.version : program.version,
    ...{ applied, removing: plan.removing, canGoBack: plan.removed.length === 0, switchoverFirst: needsSwitchover },
    ...{ done, left, away, starting, settling },
  };
}

export function backupLines(seconds: number | null | undefined): readonly string[] {
  if (seconds === undefined) return [];
  if (seconds === null) return ['no backup has checked in at the alert rule backup yet: make one first'];
  const age = seconds >= 3_600 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 60)} min`;
  return [`the last backup checked in ${age} ago`];
}

/** The state, and what to do. */
export function linesOf(report: UpgradeReport, back: boolean): readonly string[] {
  const { done, left, away, version, state } = report;
  const all = done.length + left.length + away.length;
  return [
    `${done.length} of ${all} processes with the database run ${back ? 'the version before' : `version ${version}`}`,
    ...(state === 'FINISHED' ? endOf(report, back) : [nextOf(report)]),
  ];
}

export function nextOf(report: UpgradeReport): string {
  const { state, version, left, away, starting, settling, removing, switchoverFirst } = report;
  const [next] = left;
  if (state === 'RESTART' && next !== undefined) {
    const restart = `restart ${describeProcess(next)} in version ${version}, and wait until its /health/ready is 200`;
    return switchoverFirst ? `next: run "tidegate ha switchover --wait 60", then ${restart}` : `next: ${restart}`;
  }
  if (away.length > 0) return `waits for ${away.join(', ')}: start it in version ${version}`;
  if (starting > 0) return `waits for processes that start: ${starting}`;
  if (settling !== undefined)
    return `waits until ${settleSeconds} s after the start of ${settling}, so that gateways use it again`;
  return `waits for older processes, to apply ${removing.join(', ')}`;
}

function endOf({ version, removing, canGoBack }: UpgradeReport, back: boolean): readonly string[] {
  const end = `finished; restart the processes without a database in version ${version}, too`;
  if (back || !canGoBack) return [end];
  const until = removing.length === 0 ? '' : `, until "tidegate upgrade --finish" applies ${removing.join(', ')}`;
  return [end, `going back is still possible with "tidegate upgrade --back"${until}`];
}

// The sequence of the check: one task after the other for the client, a world for each row, and the verdicts.
import type { FailureRow } from '../../clients/failure-table/row.ts';
import { faultsOf, type Report } from './judge.ts';
import type { PlayedGraph } from './played-graph.ts';
import { backendId, callInput, lastEventOf, RowWorld, type Step, taskMutation } from './row-world.ts';

export interface RowVerdict {
  readonly row: string;
  readonly isPassed: boolean;
  /** Reasons for the failure. */
  readonly faults: readonly string[];
}

interface Given {
  readonly id: string;
  readonly step: Step;
  readonly atMs: number;
  readonly text: object;
}

interface CheckRunOptions {
  readonly graph: PlayedGraph;
  readonly rows: readonly FailureRow[];
  readonly onVerdict: (verdict: RowVerdict) => void;
}

const defaultDeadlineMs = 10_000;
/** Time from a task's deadline to its report. */
const reportWithinMs = 30_000;
/** Time from the end of a task to the request for the next one. */
const askWithinMs = 60_000;
/** Time after the last task. */
const goodbyeMs = 2_000;
/** Shortened times, so that a client with pauses of minutes is checked in seconds. Heartbeats come 15 times as often, which suits a busy machine. */
const hurry = { firstPauseMs: 20, longestPauseMs: 200, silentAfterMs: 3_000 };
const snapshotQuery = 'query ($id: ID!) { backend(id: $id) { id version operatingStatus } }';

export class CheckRun {
  readonly #options: CheckRunOptions;
  readonly #verdicts: RowVerdict[] = [];
  readonly #ended = Promise.withResolvers<readonly RowVerdict[]>();
  #world: RowWorld | undefined;
  #given: Given | undefined;
  #faults: string[] = [];
  #stepIndex = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CheckRunOptions) {
    this.#options = options;
  }

  /** All verdicts, without those of rows that no client asked for. */
  get ended(): Promise<readonly RowVerdict[]> {
    return this.#ended.promise;
  }

  get verdicts(): readonly RowVerdict[] {
    return this.#verdicts;
  }

  /** World of the row under way. */
  worldOf(row: string): RowWorld | undefined {
    return this.#world?.row.name === row ? this.#world : undefined;
  }

  /** A request reached the address to which a client was redirected. */
  cameElsewhere(withToken: boolean): void {
    this.#world?.faults.push(`followed a redirect to another origin${withToken ? ', with its token' : ''}`);
  }

  /** The present task, or the next one. Undefined if there is none. */
  next(origin: string): object | undefined {
    if (this.#given !== undefined) return this.#given.text;
    const row = this.#options.rows[this.#verdicts.length];
    if (row === undefined) {
      this.stop();
      return undefined;
    }
    this.#world ??= new RowWorld(row);
    const step = row.steps[this.#stepIndex];
    if (step === undefined) throw new Error(`the row ${row.name} has no step ${this.#stepIndex}`);
    this.#world.begin(step);
    const id = `${row.name}/${this.#stepIndex + 1}`;
    const deadlineMs = step.deadlineMs ?? defaultDeadlineMs;
    const text = {
      task: id,
      url: `${origin}/rows/${row.name}/graphql`,
      deadlineMs,
      hurry,
      ...taskOf(this.#world, step),
    };
    this.#given = { id, step, text, atMs: performance.now() };
    this.#within(deadlineMs + reportWithinMs, () => {
      this.#judged([`did not report ${id} within ${(deadlineMs + reportWithinMs) / 1000} s`]);
    });
    return text;
  }

  /** The faults of the task. Undefined if it is not the present one. */
  report(task: unknown, report: Report): readonly string[] | undefined {
    const given = this.#given;
    const world = this.#world;
    if (given === undefined || world === undefined || given.id !== task) return undefined;
    const faults = faultsOf(world, given.step, report, performance.now() - given.atMs);
    this.#judged(faults);
    return faults;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ended.resolve(this.#verdicts);
  }

  #judged(faults: readonly string[]): void {
    const row = this.#world?.row;
    if (row === undefined) return;
    this.#given = undefined;
    this.#faults.push(...faults);
    this.#stepIndex += 1;
    // A later step of a row builds on the earlier ones.
    if (this.#stepIndex === row.steps.length || faults.length > 0) {
      const verdict = { row: row.name, isPassed: this.#faults.length === 0, faults: this.#faults };
      this.#verdicts.push(verdict);
      this.#options.onVerdict(verdict);
      this.#world = undefined;
      this.#stepIndex = 0;
      this.#faults = [];
    }
    // The client asks once more, and learns that the check is over.
    const isLast = this.#verdicts.length === this.#options.rows.length;
    this.#within(isLast ? goodbyeMs : askWithinMs, () => this.stop());
  }

  #within(ms: number, onLate: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onLate, ms);
  }
}

function taskOf(world: RowWorld, step: Step): object {
  const { login, row, idempotencyKey } = world;
  const known = { do: step.do, failure: row.failure, login };
  switch (step.do) {
    case 'call':
      return { ...known, mutation: taskMutation, idempotencyKey, input: callInput };
    case 'wait':
      return { ...known, id: world.workId, timeoutMs: step.timeoutMs ?? step.deadlineMs ?? defaultDeadlineMs };
    case 'follow':
      return {
        ...known,
        subjectId: backendId,
        snapshot: { query: snapshotQuery, variables: { id: backendId } },
        until: lastEventOf(step),
        consumerPauseMs: step.consumerPauseMs ?? 0,
      };
  }
}

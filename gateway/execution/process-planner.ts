// Plans in a separate process. Planning does not block the event loop, and an operation that crashes the process, or takes too long, costs others no
// more than a restart. It plans one operation at a time, so that the guilty operation is known. Without new operations the process ends.
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { currentShare } from '../../platform/caller/caller.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { CountedLine } from '../../platform/log/counted-line.ts';
import { ChildLine, usualRestMs } from '../../platform/process/child-line.ts';
import { startBudgetMs, startStep } from '../../platform/process/start-budget.ts';
import { FairTurns } from '../../platform/work/fair-turns.ts';
import { atMost } from '../../platform/work/within.ts';
import { ConflictingTypes } from './conflicting-types.ts';
import { ExternalFields } from './external-fields.ts';
import { FieldPlanner } from './field-planner.ts';
import { PlanMender } from './mended-plan.ts';
import { MissingRequirements } from './missing-requirements.ts';
import type { PlanNode, Planner } from './planner.ts';
import { supergraphForPlanner } from './planner-keys.ts';
import type { FromPlanner, ToPlanner } from './planner-process.ts';
import { UnaskedFields } from './unasked-fields.ts';
import { hasUnusedAnswer } from './unused-answers.ts';

interface ProcessPlannerOptions {
  readonly supergraphSdl: string;
  readonly log: Logger;
  /** Deadline of one operation. */
  readonly deadlineMs?: number;
  /** Deadline of the process's start. Requests wait for it no longer than `deadlineMs`. */
  readonly startBudgetMs?: number;
  /** Operations that wait for their plan. */
  readonly mostWaiting?: number;
  /** Time before an operation that crashed the process, or took too long, is tried again, because the machine may have been the cause. */
  readonly lostForMs?: number;
  /** Time without new operations after which the process ends. The next one starts it again. */
  readonly restMs?: number;
  /** The program of the process. */
  readonly program?: string;
  /** Called when the planner has no correct plan for an operation, and the field planner has one. */
  readonly onPlannedByFields?: () => void;
}

interface Wanted {
  /** Number of waiting callers. */
  by: number;
  made: { readonly plan: PlanNode | undefined } | undefined;
}

/** `plan` is valid if there is no reason. */
interface Tried {
  readonly plan?: PlanNode | undefined;
  readonly reason?: string;
}

type PlannerLine = ChildLine<ToPlanner, FromPlanner>;

const maxFailedBytes = 4 * 1024 * 1024;
const mostOutput = 2_000;
const retryAfterMs = 1_000;
const longestWaitMs = 30_000;

export class ProcessPlanner implements Planner {
  readonly #options: Required<ProcessPlannerOptions>;
  readonly #external: ExternalFields;
  readonly #conflicting: ConflictingTypes;
  readonly #requirements: MissingRequirements;
  readonly #unasked: UnaskedFields;
  readonly #mender: PlanMender;
  readonly #byFields: FieldPlanner;
  readonly #plannedByFields: CountedLine;
  readonly #turns: FairTurns;
  /** Operations without a plan. */
  readonly #failed = new LRUCache<string, CodedError>({
    maxSize: maxFailedBytes,
    sizeCalculation: (_error, text) => text.length + 1_000,
  });
  /** Operations with waiting callers. */
  readonly #wanted = new Map<string, Wanted>();
  #process: Promise<PlannerLine> | undefined;
  /** Set before it has started, too. */
  #newest: PlannerLine | undefined;
  #isClosed = false;

  constructor(options: ProcessPlannerOptions) {
    const program = join(import.meta.dirname, 'planner-process.ts');
    const supergraphSdl = supergraphForPlanner(options.supergraphSdl);
    this.#options = {
      deadlineMs: 10_000,
      startBudgetMs,
      mostWaiting: 1_000,
      lostForMs: 60_000,
      restMs: usualRestMs,
      program,
      onPlannedByFields: () => undefined,
      ...options,
      supergraphSdl,
    };
    this.#external = new ExternalFields(options.supergraphSdl);
    this.#conflicting = new ConflictingTypes(options.supergraphSdl);
    this.#requirements = new MissingRequirements(options.supergraphSdl);
    this.#unasked = new UnaskedFields(options.supergraphSdl);
    this.#mender = new PlanMender(options.supergraphSdl);
    this.#byFields = new FieldPlanner(options.supergraphSdl);
    this.#plannedByFields = new CountedLine(options.log, 'an operation is planned field by field');
    const { mostWaiting } = this.#options;
    this.#turns = new FairTurns({ atOnce: 1, mostWaiting, waitMs: longestWaitMs, refusal: busy });
  }

  /** Throws when the planner refuses the supergraph, or does not start within `startBudgetMs`. */
  async start(): Promise<void> {
    const { log, startBudgetMs: budgetMs } = this.#options;
    await startStep('the planner', { log, budgetMs }, () => this.#line());
  }

  /** Users take turns. An operation with several callers is planned in the first of their turns, and the others find its plan. */
  async plan(text: string): Promise<PlanNode | undefined> {
    this.#throwFailed(text);
    const wanted = this.#wanted.get(text) ?? { by: 0, made: undefined };
    this.#wanted.set(text, wanted);
    wanted.by += 1;
    try {
      return await this.#turns.run(currentShare(), async () => {
        this.#throwFailed(text);
        wanted.made ??= { plan: await this.#planOf(text) };
        return wanted.made.plan;
      });
    } finally {
      wanted.by -= 1;
      if (wanted.by === 0) this.#wanted.delete(text);
    }
  }

  #throwFailed(text: string): void {
    const failed = this.#failed.get(text);
    if (failed !== undefined) throw failed;
  }

  /** Ends the process. Operations that wait are refused. */
  close(): void {
    this.#isClosed = true;
    this.#newest?.end();
  }

  async #planOf(text: string): Promise<PlanNode | undefined> {
    const { deadlineMs, lostForMs, log } = this.#options;
    const line = await atMost(deadlineMs, this.#line());
    if (line === undefined)
      throw new CodedError('UNAVAILABLE', 'The planner of this gateway is still starting; nothing was done.', {
        retryAfterMs,
      });
    const tried = await this.#tried(line, text);
    if (tried.reason === undefined) return tried.plan;
    const own = this.#triedByFields(text);
    const operation = withoutTexts(text).slice(0, mostOutput);
    if (own.reason === undefined) {
      this.#plannedByFields.add({ reason: tried.reason, operation });
      this.#options.onPlannedByFields();
      return own.plan;
    }
    log.warn({ reason: tried.reason, byFields: own.reason, operation }, 'an operation has no plan');
    const error = new CodedError(
      'NOT_PLANNED',
      'The gateway has no plan for this operation, although it is valid: ask for its fields in several operations.',
    );
    if (!this.#isClosed) this.#failed.set(text, error, line.isOpen ? {} : { ttl: lostForMs });
    throw error;
  }

  async #tried(line: PlannerLine, text: string): Promise<Tried> {
    const answer = await line.ask({ text }, this.#options.deadlineMs);
    if (answer === undefined) return { reason: line.lastWords };
    if ('fault' in answer) return { reason: answer.fault };
    return answer.plan === undefined ? {} : this.#checked(answer.plan as PlanNode, text);
  }

  #triedByFields(text: string): Tried {
    try {
      return this.#checked(this.#byFields.plan(text), text);
    } catch (error) {
      return { reason: String(error) };
    }
  }

  #checked(given: PlanNode, text: string): Tried {
    const plan = this.#mender.mended(given);
    const reason = typeof plan === 'string' ? plan : this.#faultOf(plan, text);
    return reason === undefined ? { plan: plan as PlanNode } : { reason };
  }

  /** The reason why a plan would give a wrong answer. */
  #faultOf(plan: PlanNode, text: string): string | undefined {
    if (hasUnusedAnswer(plan)) return 'its plan has one value for two requirements';
    const external = this.#external.askedIn(plan);
    if (external !== undefined) return `its plan asks for ${external}, where it is external`;
    const lacking = this.#requirements.askedIn(plan);
    if (lacking !== undefined) return `its plan does not send what ${lacking} requires`;
    const conflicting = this.#conflicting.askedIn(plan);
    if (conflicting !== undefined) return `its plan asks for two types of ${conflicting}`;
    const unasked = this.#unasked.leftOutOf(plan, text);
    return unasked && `its plan leaves out ${unasked}`;
  }

  /** Connects to the process, and restarts it if it has ended. */
  #line(): Promise<PlannerLine> {
    if (this.#isClosed) throw new CodedError('UNAVAILABLE', 'This gateway is shutting down.', { retryAfterMs });
    const known = this.#process;
    if (known !== undefined && this.#newest?.isOpen === true) return known;
    this.#newest = new ChildLine(this.#options);
    this.#process = this.#opened(this.#newest);
    return this.#process;
  }

  async #opened(line: PlannerLine): Promise<PlannerLine> {
    const { supergraphSdl: supergraph, startBudgetMs } = this.#options;
    const answer = await line.ask({ supergraph }, startBudgetMs);
    if (answer !== undefined && !('fault' in answer)) return line;
    line.end();
    throw new Error(`the planner does not take the supergraph: ${answer?.fault ?? line.lastWords}`);
  }
}

/** A caller may have written a secret into the operation. */
function withoutTexts(operation: string): string {
  return operation.replace(/"(?:[^"\\]|\\.)*"/g, '""');
}

function busy(): CodedError {
  return new CodedError('BUSY', 'Too many new operations wait for their plan; nothing was done.', { retryAfterMs });
}

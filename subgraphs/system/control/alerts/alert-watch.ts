// Follows the status events, and makes, repeats and resolves alerts. One process does, elected by a lease. It stores its cursor and the resulting
// changes in one transaction, so that a restart or a failover neither misses an event nor counts it twice. Most events change no signal, and are not
// recorded. The next process reads them again, without effect.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { sealCursor } from '../../../../platform/events/cursor.ts';
import { EventTable, type PastEvent, type Position } from '../../../../platform/events/event-table.ts';
import { readEvents } from '../../../../platform/events/history.ts';
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import { checkLease, type HeldLease, type Leases } from '../../../../platform/leases/leases.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { CursorSealer } from '../../../../platform/secrets/cursor-sealer.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type Evaluation, evaluate } from '../../rules/alerts/evaluate.ts';
import { namedSubjects } from '../../rules/alerts/named-subjects.ts';
import {
  endedSubjects,
  eventsThatMatter,
  ownKinds,
  projectDeleted,
  signalChanges,
} from '../../rules/alerts/signals.ts';
import { ageOf, resumedTime } from '../../rules/alerts/steady-time.ts';
import type { AlertCondition } from '../../spec/alert-conditions.ts';
import type { AlertRule } from '../stores/alert-rule.ts';
import type { AlertRuleStore } from '../stores/alert-rule-store.ts';
import { openAlerts } from '../stores/alert-store.ts';
import {
  endedByHand,
  forgetProject,
  lockWatch,
  putSignal,
  removeSignal,
  restartSignal,
  type Signal,
  signalsOf,
  standingAmong,
  storeWatch,
} from '../stores/alert-watch-store.ts';
import { applyActions } from './apply-actions.ts';
import { FireAllowance } from './fire-allowance.ts';
import { SubjectNames } from './subject-names.ts';

export interface AlertWatchOptions {
  readonly db: Database;
  readonly rules: AlertRuleStore;
  readonly leases: Leases;
  readonly wake: Wake;
  readonly log: Logger;
  readonly cursors: CursorSealer;
  readonly askGraph: AskGraph;
  /** Milliseconds that only increase. Default: the process's. */
  readonly monotonicMs?: () => number;
}

/** Wakes the watch when signals change without a status event. */
export const signalsTopic = 'alerts/signals';

const leaseName = 'alert-watch';
const lookMs = 1_000;
const eventsAtOnce = 1_000;
/** Alerts that change in one transaction. */
const actionsAtOnce = 200;
/** Interval at which the cursor and the steady time are stored, and conditions are evaluated, while no signal changes. */
const idleMs = 30_000;
/** Time that a woken watch waits for more events, so that under load it reads hundreds of them at once. */
const gatherMs = 100;

/** State of a process while it holds the lease. */
interface Reign {
  readonly lease: HeldLease;
  /** The steady time at a monotonic time. */
  readonly startedSteadyMs: number;
  readonly startedMs: number;
  position: Position;
  /** The position in the database. Events between the two positions changed no signal. */
  stored: Position;
  epoch: number;
  caughtUpMs: number | null;
  /** Steady time of the next evaluation. */
  evaluateMs: number;
  storeMs: number;
}

export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #table: EventTable;
  readonly #names: SubjectNames;
  readonly #loop: Loop;
  readonly #monotonicMs: () => number;
  readonly #allowance: FireAllowance;
  #reign: Reign | undefined;
  #stops: readonly (() => void)[] = [];
  #signalsChanged = false;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    this.#table = new EventTable(options.db);
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#names = new SubjectNames({ ...options, monotonicMs: this.#monotonicMs });
    this.#allowance = new FireAllowance(this.#monotonicMs);
    const run = (signal: AbortSignal) => this.look(signal);
    this.#loop = new Loop({ name: 'alerts', log: options.log, pauseMs: () => lookMs, run });
  }

  start(): void {
    const { wake } = this.#options;
    const changed = () => {
      this.#signalsChanged = true;
      this.#loop.trigger();
    };
    this.#stops = [wake.on('sequenced', () => this.#lookSoon()), wake.on(signalsTopic, changed)];
    this.#loop.start();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#gathering);
    await this.#loop.stop();
    await this.#names.stop();
    await this.#reign?.lease.release();
  }

  #lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#loop.trigger();
    }, gatherMs);
  }

  /** Reads a page of events, or evaluates. Returns true if there is more to do. */
  async look(signal: AbortSignal): Promise<boolean> {
    const reign = await this.#elected();
    if (reign === undefined) return false;
    try {
      const goesOn = await this.#lookAs(reign, signal);
      this.#names.fillSoon();
      return goesOn;
    } catch (error) {
      // The stored state takes precedence, because another process may have continued.
      this.#reign = undefined;
      await reign.lease.release();
      throw error;
    }
  }

  async #elected(): Promise<Reign | undefined> {
    const now = this.#reign;
    if (now !== undefined && !now.lease.signal.aborted) return now;
    this.#reign = undefined;
    const lease = await this.#options.leases.acquire(leaseName);
    if (lease === undefined) return undefined;
    this.#reign = await this.#options.db.transaction(async (tx) => {
      const { state, nowMs } = await lockWatch(tx);
      const { position, epoch, caughtUpMs, atMs, steadyMs } = state;
      const startedSteadyMs = atMs === null ? 0 : resumedTime({ steadyMs, atMs }, nowMs);
      return {
        ...{ lease, startedSteadyMs, startedMs: this.#monotonicMs(), position, stored: position, epoch, caughtUpMs },
        ...{ evaluateMs: startedSteadyMs, storeMs: startedSteadyMs },
      };
    });
    return this.#reign;
  }

  async #lookAs(reign: Reign, signal: AbortSignal): Promise<boolean> {
    const steadyMs = this.#steadyMs(reign);
    const page = await this.#table.after(reign.position, eventsAtOnce);
    if (page.kind === 'displaced') return this.#goBack(reign);
    const { events } = page;
    if (events.length > 0 || steadyMs >= reign.storeMs)
      await this.#read(reign, events, { steadyMs, isLast: events.length < eventsAtOnce, epoch: page.epoch });
    if (events.length === eventsAtOnce) return true;
    if (this.#signalsChanged || steadyMs >= reign.evaluateMs) {
      this.#signalsChanged = false;
      return this.#evaluate(reign, signal);
    }
    return false;
  }

  /** A failover lost events, or retention removed them. Events since the stored position had changed no signal. */
  #goBack(reign: Reign): boolean | Promise<boolean> {
    if (reign.position === reign.stored) return this.#begin(reign);
    reign.position = reign.stored;
    return true;
  }

  /** Continues at the oldest retained event: at the first start, and after a time without any process. Known signals stay. */
  async #begin(reign: Reign): Promise<boolean> {
    const { oldestSeq, epoch } = await this.#table.bounds();
    const oldest = (await readEvents(this.#options.db, [String(oldestSeq)])).get(String(oldestSeq));
    // Retention has just removed it.
    if (oldest === undefined) return false;
    this.#options.log.info({ seq: oldestSeq }, 'alerts begin at the oldest status event that is kept');
    const first = { ...oldest, seq: oldestSeq };
    await this.#read(reign, [first], { steadyMs: this.#steadyMs(reign), isLast: false, epoch });
    return true;
  }

  async #read(
    reign: Reign,
    events: readonly PastEvent[],
    {
      steadyMs,
      isLast,
      epoch,
    }: { readonly steadyMs: number; readonly isLast: boolean; readonly epoch: number | undefined },
  ): Promise<void> {
    const last = events.at(-1);
    const next = {
      position: last === undefined ? reign.position : { seq: last.seq, eventId: last.id },
      epoch: epoch ?? reign.epoch,
      caughtUpMs: isLast ? steadyMs : reign.caughtUpMs,
    };
    const changing = await this.#changing(events);
    if (changing.length === 0 && steadyMs < reign.storeMs) {
      Object.assign(reign, next);
      return;
    }
    const sinceCaughtUpMs = reign.caughtUpMs === null ? Number.POSITIVE_INFINITY : steadyMs - reign.caughtUpMs;
    let isNews = false;
    await this.#options.db.transaction(async (tx) => {
      isNews = false;
      const { state, nowMs } = await lockWatch(tx);
      if (state.position.seq !== reign.stored.seq || state.position.eventId !== reign.stored.eventId)
        throw new Error('the status events were read by another process');
      for (const event of changing) {
        const sinceMs = steadyMs - ageOf(event.at.getTime(), nowMs, sinceCaughtUpMs);
        if (await this.#apply(tx, event, sinceMs)) isNews = true;
      }
      await storeWatch(tx, { ...next, steadyMs });
      await checkLease(tx, reign.lease);
    });
    Object.assign(reign, next, { stored: next.position, storeMs: steadyMs + idleMs });
    if (isNews) reign.evaluateMs = steadyMs;
  }

  /** No other process creates signals from events, so the stored signals do not change before these are applied. */
  async #changing(events: readonly PastEvent[]): Promise<readonly PastEvent[]> {
    return eventsThatMatter(events, await standingAmong(this.#options.db, endedSubjects(events)));
  }

  /** Returns true if an alert may change. */
  async #apply(tx: Transaction, event: PastEvent, sinceMs: number): Promise<boolean> {
    if (event.kind === projectDeleted) {
      await forgetProject(tx, event.subjectId);
      return true;
    }
    const changes = signalChanges(event);
    for (const change of changes) {
      const { condition, subjectType, subjectId } = change;
      const subject = { condition, subjectType, subjectId };
      if (change.to === 'OFF') await removeSignal(tx, subject);
      else if (change.to === 'RESTARTED') await restartSignal(tx, subject, { at: event.at, steadyMs: sinceMs });
      else {
        if (change.subjectName === null) this.#names.note(subjectType);
        await putSignal(tx, {
          ...{ ...subject, projectId: event.projectId, status: change.status, reason: change.reason },
          ...{ subjectName: change.subjectName, cmpObject: event.cmpObject, since: event.at, sinceMs, endsAtMs: null },
        });
      }
    }
    return changes.length > 0 || ownKinds.has(event.kind);
  }

  /** Returns true if there are more changes than one transaction makes. */
  async #evaluate(reign: Reign, signal: AbortSignal): Promise<boolean> {
    const { db, log } = this.#options;
    const steadyMs = this.#steadyMs(reign);
    const found = await db.transaction(async (tx) => {
      const { nowMs } = await lockWatch(tx);
      const rules = await this.#options.rules.all(tx);
      await this.#keepCheckIns(tx, rules, { steadyMs, nowMs });
      const enabled = new Set(rules.filter((rule) => rule.enabled).map(({ condition }) => condition));
      const alerts = await openAlerts(tx);
      // Read after the alerts: an alert that is ended in between is then both open and ended, rather than neither.
      const ended = await endedByHand(tx);
      const signals = await signalsOf(tx, [...enabled], namedSubjects(rules, alerts));
      await checkLease(tx, reign.lease);
      return { rules, ...evaluate({ rules, signals, alerts, ended, steadyMs, nowMs }) };
    });
    const { actions, nextMs, rules }: Evaluation<Signal> & { readonly rules: readonly AlertRule[] } = found;
    const { some, isMore } = this.#allowance.choose(actions, actionsAtOnce);
    if (some.length > 0) {
      const named = await this.#names.nameSubjects(some, signal);
      const cursor = sealCursor(this.#options.cursors, { timeline: reign.epoch, ...reign.position });
      await db.transaction(async (tx) => {
        await applyActions(tx, this.#options, { actions: named, rules, steadyMs, cursor });
        await checkLease(tx, reign.lease);
      });
      log.info({ count: some.length, left: actions.length - some.length }, 'alerts changed');
    }
    reign.evaluateMs = isMore ? steadyMs : Math.min(nextMs, steadyMs + idleMs);
    return isMore;
  }

  /** A check-in rule waits for its first check-in from its creation on, or from the time when it was enabled. */
  async #keepCheckIns(
    tx: Transaction,
    rules: readonly AlertRule[],
    { steadyMs, nowMs }: { readonly steadyMs: number; readonly nowMs: number },
  ): Promise<void> {
    const condition: AlertCondition = 'CHECK_IN_LATE';
    const waiting = rules.filter((rule) => rule.condition === condition && rule.enabled);
    const wanted = new Map(waiting.map((rule) => [rule.id, rule]));
    const known = await signalsOf(tx, [condition]);
    for (const { subjectType, subjectId } of known.filter((each) => !wanted.has(each.subjectId)))
      await removeSignal(tx, { condition, subjectType, subjectId });
    const present = new Set(known.map(({ subjectId }) => subjectId));
    for (const { id, projectId, name } of waiting.filter((rule) => !present.has(rule.id)))
      await putSignal(tx, {
        ...{ condition, subjectType: 'AlertRule', subjectId: id, projectId, status: 'LATE', reason: null },
        ...{ subjectName: name, cmpObject: null, since: new Date(nowMs), sinceMs: steadyMs, endsAtMs: null },
      });
  }

  #steadyMs({ startedSteadyMs, startedMs }: Reign): number {
    return startedSteadyMs + this.#monotonicMs() - startedMs;
  }
}

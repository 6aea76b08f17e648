// Ends the calls of dead processes, and calls whose time is over. Only one process does it at a time, and each move is a
// compare-and-set: the move of an owner that was only slow is never overwritten, and its late verdict is taken.
import type { Database } from '../../../../platform/database/database.ts';
import { isUnavailable } from '../../../../platform/errors/database-errors.ts';
import type { HeldLease, Leases } from '../../../../platform/leases/leases.ts';
import { processLeaseName } from '../../../../platform/leases/process-lease.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Driver } from '../../drivers/driver.ts';
import { readBackends } from '../backends/backend-store.ts';
import { subjectOf } from '../model/operation.ts';
import type { SecretArguments } from '../model/secret-arguments.ts';
import { actsForMs, type RelaySettings } from '../settings.ts';
import type { Journal } from './journal.ts';
import { type Move, ownersOfUnended, putTimesBack, readStuck, type WaitingRow } from './operation-store.ts';
import { QuietTimes } from './quiet-times.ts';

interface RecoveryOptions {
  readonly db: Database;
  readonly leases: Leases;
  readonly journal: Journal;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly settings: RelaySettings;
  readonly log: Logger;
  readonly opener: SecretArguments;
}

const leaseName = 'relay/recovery';
const clockCheckMs = 5_000;
const failedPauseMs = 30_000;
const mostExcepted = 1_000;

export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #quietTimes: QuietTimes;
  #lease: HeldLease | undefined;
  #clockCheckedAtMs = Number.NEGATIVE_INFINITY;
  /** Calls that could not be moved, by the time from which they are tried again. */
  readonly #failing = new Map<string, number>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#quietTimes = new QuietTimes(options);
  }

  /** Returns how many calls were moved; 0 also when another process runs the recovery. */
  async tick(): Promise<number> {
    if (this.#lease === undefined || this.#lease.signal.aborted)
      this.#lease = await this.#options.leases.acquire(leaseName);
    if (this.#lease !== undefined) return this.runOnce();
    this.#quietTimes.forget();
    return 0;
  }

  async stop(): Promise<void> {
    await this.#lease?.release();
  }

  async runOnce(): Promise<number> {
    const { db, leases, journal, drivers, settings, log, opener } = this.#options;
    await this.#noticeClock();
    await this.#quietTimes.runOnce();
    const dead: string[] = [];
    for (const owner of await ownersOfUnended(db)) {
      // This process's own lease may have ended while it got no CPU time.
      if (owner === leases.owner) continue;
      const holder = await leases.holder(processLeaseName('relay', owner));
      if (holder?.live !== true) dead.push(owner);
    }
    const stuck = await readStuck(db, {
      deadOwners: dead,
      deadGraceMs: settings.recoveryGraceMs,
      graceMs: settings.sendWindowMs + settings.recoveryGraceMs,
      except: this.#notNow(),
    });
    if (stuck.length === 0) return 0;
    const backends = await readBackends(db, [...new Set(stuck.map((row) => row.backendId))]);
    let moved = 0;
    for (const row of stuck) {
      const driver = drivers.get(backends.get(row.backendId)?.driver ?? '');
      const operation = driver?.operations.get(row.name);
      const crashQuietMs = settings.crashQuietMs + actsForMs(operation, settings);
      const move = moveOf(row, dead.includes(row.owner ?? ''), { crashQuietMs });
      try {
        if (!(await journal.move(subjectOf(row, operation, opener), row, move))) continue;
        moved += 1;
        log.warn({ operationId: row.id, from: row.state, to: move.to, owner: row.owner }, 'call recovered');
      } catch (error) {
        // The others do not wait for it.
        if (isUnavailable(error)) throw error;
        log.error({ err: error, operationId: row.id, from: row.state, to: move.to }, 'a call could not be recovered');
        this.#failing.set(row.id, performance.now() + failedPauseMs);
      }
    }
    return moved;
  }

  async #noticeClock(): Promise<void> {
    const { db, settings, log } = this.#options;
    if (performance.now() - this.#clockCheckedAtMs < clockCheckMs) return;
    this.#clockCheckedAtMs = performance.now();
    const calls = await putTimesBack(db, settings.queueTimeoutMs);
    if (calls > 0) log.warn({ calls }, "the database's clock was set back: unended calls have their full time again");
  }

  /** Some of the calls that could not be moved a moment ago: they must not fill the page. */
  #notNow(): string[] {
    const nowMs = performance.now();
    for (const [id, untilMs] of this.#failing) if (untilMs <= nowMs) this.#failing.delete(id);
    return [...this.#failing.keys()].slice(0, mostExcepted);
  }
}

export function moveOf(
  row: Pick<WaitingRow, 'state' | 'predatesLoss'>,
  ownerDead: boolean,
  settings: Pick<RelaySettings, 'crashQuietMs'>,
): Move & { evidence?: { source: string; finding: string; note: string } } {
  const settledBy = 'recovery';
  if (row.state === 'SENT' || row.predatesLoss) {
    const error = whyUnknown(row.state === 'SENT', ownerDead);
    const { message } = error;
    return {
      to: 'UNKNOWN',
      by: 'recovery',
      settledBy,
      error,
      quietAfterDeadlineMs: settings.crashQuietMs,
      evidence: { source: 'recovery', finding: 'UNKNOWN', note: message },
    };
  }
  const error = ownerDead
    ? { code: 'OWNER_LOST', message: 'the relay process that accepted the call ended before it was sent' }
    : { code: 'QUEUE_TIMEOUT', message: 'the call waited too long to be sent' };
  return { to: 'REJECTED', by: 'recovery', settledBy, error };
}

function whyUnknown(sent: boolean, ownerDead: boolean): { readonly code: string; readonly message: string } {
  if (!sent)
    return {
      code: 'WRITES_LOST',
      message: 'a failover lost the last writes of the database: the call may have been sent',
    };
  if (ownerDead)
    return {
      code: 'OWNER_LOST',
      message: 'the relay process that made the call ended before the outcome was known',
    };
  return { code: 'NOT_RECORDED', message: 'the relay process that made the call recorded no outcome in time' };
}

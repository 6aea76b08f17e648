// Eight writers. In every round one of them keeps its transaction open while the others commit around it. Acknowledged writes are recorded
// here, separately from the database.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/database/database.ts';
import { appendStatus } from '../../platform/events/append.ts';
import type { EventKinds } from '../../platform/events/kinds.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { Wake } from '../../platform/work/wake.ts';
import type { Random } from '../random.ts';

export interface WrittenEvent {
  readonly kind: string;
  readonly subjectId: string;
  readonly version: number;
  /** When the commit was acknowledged, by this process's monotonic clock. */
  readonly committedAtMs: number;
}

interface WritersOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly random: Random;
  readonly writers: number;
  /** How long one transaction of each round stays open. */
  readonly holdMs: number;
  /** UUID; default: no project, so that only administrators see the events. */
  readonly projectId?: string;
}

/** Declared kinds, which a filter may name. */
export const kinds = ['backend.changed', 'backend.circuit', 'backend.identity', 'backend.operatingStatus'] as const;
export const subjectType = 'Backend';
const trialEvents: EventKinds = Object.fromEntries(
  kinds.map((kind) => [kind, { subject: subjectType, values: ['NEXT'], meaning: 'A subject of the trial changed.' }]),
);
const subjectCount = 24;

/** The name of an event that every client can derive: subject and version. */
export function eventKey(event: { readonly subjectId: string; readonly version: number }): string {
  return `${event.subjectId}/${event.version}`;
}

export class Writers {
  readonly #options: WritersOptions;
  /** Their UUIDs. */
  readonly subjects: readonly string[] = Array.from({ length: subjectCount }, () => newUuid());
  readonly written: WrittenEvent[] = [];

  constructor(options: WritersOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { db } = this.#options;
    await db.execute('CREATE TABLE trial_subject (id CHAR(36) PRIMARY KEY, version INT NOT NULL)');
    for (const id of this.subjects) await db.execute('INSERT INTO trial_subject VALUES (?, 0)', [id]);
  }

  /** One round of `events` events. */
  async round(events: number): Promise<void> {
    const { writers, holdMs, random } = this.#options;
    const held = random.pick(this.subjects);
    const others = this.subjects.filter((subject) => subject !== held);
    const share = Math.ceil((events - 1) / (writers - 1));
    const started = Promise.withResolvers<void>();
    const holder = this.#write(held, holdMs, started.resolve);
    await started.promise;
    const commitAround = async (count: number) => {
      for (let index = 0; index < count; index += 1) {
        await sleep(random.next() * ((holdMs * 2) / share));
        await this.#write(random.pick(others), random.next() < 0.05 ? random.integer(1, 100) : 0);
      }
    };
    const counts = Array.from({ length: writers - 1 }, (_, index) =>
      Math.max(0, Math.min(share, events - 1 - index * share)),
    );
    await Promise.all([holder, ...counts.map(commitAround)]);
  }

  /** It writes the subject's row first, then the event; the transaction may then stay open. */
  async #write(subjectId: string, holdMs: number, onWritten: () => void = () => {}): Promise<void> {
    const { db, wake, random, projectId = null } = this.#options;
    const kind = random.pick(kinds);
    const version = await db.transaction(async (tx) => {
      await tx.execute('UPDATE trial_subject SET version = version + 1 WHERE id = ?', [subjectId]);
      const [row] = await tx.query<{ version: number }>('SELECT version FROM trial_subject WHERE id = ?', [subjectId]);
      const subjectVersion = row?.version ?? -1;
      const subject = { projectId, subjectId, subjectVersion };
      await appendStatus(tx, trialEvents, [{ ...subject, kind, from: null, to: 'NEXT' }], wake);
      onWritten();
      if (holdMs > 0) await sleep(holdMs);
      return subjectVersion;
    });
    this.written.push({ kind, subjectId, version, committedAtMs: performance.now() });
  }
}

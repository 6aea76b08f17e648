// Writes status events like services do, with the subject's row first, and records the time of each acknowledged commit.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/database/database.ts';
import { appendStatus } from '../../platform/events/append.ts';
import type { StatusEvent } from '../../platform/events/kinds.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { systemEvents } from '../../subgraphs/system/control/events.ts';
import { monotonicMs } from './clock.ts';
import { eventKind } from './operations.ts';

interface WriterOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly projectIds: readonly string[];
}

interface SequencedRow {
  readonly seq: number | null;
  readonly projectId: string;
  readonly version: number;
}

const sequencedWithinMs = 30_000;

export class Writer {
  readonly #options: WriterOptions;
  /** Time of the acknowledged commit by `project/version`. */
  readonly #committedMs = new Map<string, number>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { db, projectIds } = this.#options;
    await db.execute('CREATE TABLE bench_subject (id CHAR(36) PRIMARY KEY, version INT NOT NULL)');
    for (const id of projectIds) await db.execute('INSERT INTO bench_subject VALUES (?, 0)', [id]);
  }

  /** Writes one event after another at a steady rate, for the projects in turn, without waiting for the previous one. */
  async steadily(
    perSecond: number,
    seconds: number,
    signal: AbortSignal,
    projectIds = this.#options.projectIds,
  ): Promise<void> {
    const startMs = monotonicMs();
    const writes: Promise<void>[] = [];
    for (let index = 0; index < perSecond * seconds; index += 1) {
      const waitMs = startMs + (index * 1000) / perSecond - monotonicMs();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal });
      writes.push(this.write(projectIds[index % projectIds.length] ?? '', 1, 'a check of the benchmark'));
    }
    await Promise.all(writes);
  }

  /** `count` events of one project in one transaction. */
  async write(projectId: string, count: number, reason: string): Promise<void> {
    const { db, wake } = this.#options;
    await db.transaction(async (tx) => {
      await tx.execute('UPDATE bench_subject SET version = version + ? WHERE id = ?', [count, projectId]);
      const [row] = await tx.query<{ version: number }>('SELECT version FROM bench_subject WHERE id = ?', [projectId]);
      const newest = row?.version ?? 0;
      const events = Array.from({ length: count }, (_, index): StatusEvent<typeof systemEvents> => {
        const subjectVersion = newest - count + index + 1;
        return {
          projectId,
          kind: eventKind,
          subjectId: projectId,
          subjectVersion,
          from: 'ACTIVE',
          to: 'ACTIVE',
          reason,
        };
      });
      tx.afterCommit(() => {
        for (const { subjectVersion } of events) this.#committedMs.set(`${projectId}/${subjectVersion}`, monotonicMs());
      });
      await appendStatus(tx, systemEvents, events, wake);
    });
  }

  /** Waits until everything is sequenced. Returns the events in the table by project and by commit time. */
  async account(): Promise<{ expected: Map<string, number[]>; committedMs: Map<number, number> }> {
    const { db } = this.#options;
    const deadlineMs = monotonicMs() + sequencedWithinMs;
    let rows: SequencedRow[] = [];
    do {
      if (monotonicMs() > deadlineMs) throw new Error(`events are not sequenced after ${sequencedWithinMs} ms`);
      await sleep(50);
      rows = await db.query<SequencedRow>(
        'SELECT seq, project_id AS projectId, subject_version AS version FROM status_change WHERE kind = ? ORDER BY seq',
        [eventKind],
      );
    } while (rows.some(({ seq }) => seq === null));
    const expected = new Map<string, number[]>(this.#options.projectIds.map((id) => [id, []]));
    const committedMs = new Map<number, number>();
    for (const { seq, projectId, version } of rows) {
      if (seq === null) continue;
      expected.get(projectId)?.push(seq);
      const committed = this.#committedMs.get(`${projectId}/${version}`);
      if (committed !== undefined) committedMs.set(seq, committed);
    }
    return { expected, committedMs };
  }
}

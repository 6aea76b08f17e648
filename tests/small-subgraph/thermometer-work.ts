// What workers do for thermometers: look whether each answers, and read each once.
import { connect } from 'node:net';
import type { CheckTarget, CheckTenant } from '../../platform/checks/check-tenant.ts';
import type { Database } from '../../platform/database/database.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { checkLease } from '../../platform/leases.ts';
import type { OwedQueue } from '../../platform/owed-queue.ts';
import { finishOwed } from '../../platform/owed-work.ts';
import type { Wake } from '../../platform/wake.ts';
import { thermometerEvents } from './events.ts';
import { listThermometers, lockThermometer, updateThermometer } from './thermometer-store.ts';

interface Parts {
  readonly db: Database;
  readonly wake: Wake;
}

interface Target extends CheckTarget {
  readonly port: number;
}

const checked = { UNKNOWN: 'UNKNOWN', ONLINE: 'UP', OFFLINE: 'DOWN' } as const;
const shown = { UNKNOWN: 'UNKNOWN', UP: 'ONLINE', DOWN: 'OFFLINE' } as const;

export function createThermometerChecks(parts: Parts & { readonly intervalMs: number }): CheckTenant<Target, null> {
  const { db, wake, intervalMs } = parts;
  return {
    name: 'thermometers',
    async listTargets() {
      const rows = await listThermometers(db);
      return rows.map(({ id, port, operatingStatus }) => ({
        ...{ id, port, intervalMs, timeoutMs: 1_000 },
        status: checked[operatingStatus],
      }));
    },
    check: ({ port }, { signal }) =>
      new Promise((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', signal });
        const seen = (message: string | null) => {
          socket.destroy();
          resolve({ up: message === null, message, detail: null });
        };
        socket.once('connect', () => seen(null)).once('error', (error) => seen(error.message));
      }),
    record: (batch, lease) =>
      db.transaction(async (tx) => {
        await checkLease(tx, lease);
        for (const { target, status, message } of batch) {
          const row = await lockThermometer(tx, target.id);
          const [from, to] = [row?.operatingStatus, shown[status]];
          if (row === undefined || from === undefined || from === to) continue;
          await updateThermometer(tx, { ...row, operatingStatus: to });
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const event = { ...subject, kind: 'thermometer.operatingStatus', from, to, reason: message } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
        }
      }),
  };
}

export function createReadingQueue({ db, wake }: Parts): OwedQueue {
  return {
    kind: 'thermometer-reading',
    concurrency: 2,
    deadlineMs: 5_000,
    run: (job) =>
      db.transaction(async (tx) => {
        const row = await lockThermometer(tx, job.key);
        if (row !== undefined) {
          await updateThermometer(tx, { ...row, reading: 21 });
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const event = { ...subject, kind: 'thermometer.reading', from: 'UNREAD', to: 'READ' } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
        }
        await finishOwed(tx, job);
      }),
  };
}

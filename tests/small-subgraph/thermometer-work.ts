// The worker's part for thermometers: checks whether each answers, and reads each once.
import { changedSubjects, subjectCursor } from '../../platform/checks/changed-subjects.ts';
import type { CheckTarget, CheckTenant } from '../../platform/checks/check-tenant.ts';
import { tcpProbe } from '../../platform/checks/probes/tcp.ts';
import { shardOf } from '../../platform/checks/shards.ts';
import type { Database } from '../../platform/database/database.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { checkLease } from '../../platform/leases/leases.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { finishOwed } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { thermometerEvents } from './events.ts';
import { listThermometers, lockThermometer, type ThermometerRow, updateThermometer } from './thermometer-store.ts';

interface Dependencies {
  readonly db: Database;
  readonly wake: Wake;
}

const checked = { UNKNOWN: 'UNKNOWN', ONLINE: 'UP', OFFLINE: 'DOWN', DELETED: 'UNKNOWN' } as const;
const shown = { UNKNOWN: 'UNKNOWN', UP: 'ONLINE', DOWN: 'OFFLINE' } as const;

export function createThermometerChecks(dependencies: Dependencies & { readonly intervalMs: number }): CheckTenant {
  const { db, wake, intervalMs } = dependencies;
  const target = ({ id, port, operatingStatus }: ThermometerRow): CheckTarget => ({
    ...{ id, probe: tcpProbe.name, parameters: { host: '127.0.0.1', port }, intervalMs, timeoutMs: 1_000 },
    ...{ status: checked[operatingStatus], revision: String(port) },
  });
  return {
    name: 'thermometers',
    probes: [tcpProbe],
    async listTargets({ count, wanted }) {
      const cursor = await subjectCursor(db);
      const rows = await listThermometers(db);
      return { cursor, targets: rows.filter(({ id }) => wanted.has(shardOf(id, count))).map(target) };
    },
    async changesAfter(after) {
      const changed = await changedSubjects(db, 'Thermometer', after);
      if (changed === undefined) return undefined;
      const rows = (await listThermometers(db)).filter(({ id }) => changed.ids.includes(id));
      const gone = changed.ids.filter((id) => !rows.some((row) => row.id === id));
      return { targets: rows.map(target), gone, cursor: changed.cursor };
    },
    record: (batch, lease) =>
      db.transaction(async (tx) => {
        await checkLease(tx, lease);
        for (const { targetId, status, message } of batch) {
          const row = await lockThermometer(tx, targetId);
          const [from, to] = [row?.operatingStatus, shown[status]];
          if (row === undefined || from === undefined || from === 'DELETED' || from === to) continue;
          await updateThermometer(tx, { ...row, operatingStatus: to });
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const event = { ...subject, kind: 'thermometer.operatingStatus', from, to, reason: message } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
        }
      }),
  };
}

export function createReadingQueue({ db, wake }: Dependencies): OwedQueue {
  return {
    kind: 'thermometer-reading',
    concurrency: 2,
    deadlineMs: 5_000,
    run: (job) =>
      db.transaction(async (tx) => {
        const row = await lockThermometer(tx, job.key);
        if (row !== undefined && row.operatingStatus !== 'DELETED') {
          await updateThermometer(tx, { ...row, reading: 21 });
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const event = { ...subject, kind: 'thermometer.reading', from: 'UNREAD', to: 'READ' } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
        }
        await finishOwed(tx, job);
      }),
  };
}

// Which process of each machine is connected, and to which process of the control plane. A second process with the machine's credentials is refused
// wherever it connects, and people see it. A claim counts while the process that has the connection lives, by its lease: nothing renews claims.
import type { Database, Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { appendStatus } from '../events/append.ts';
import { columnOf } from '../events/kinds.ts';
import { platformEvents } from '../events/platform-events.ts';
import { processLeaseName } from '../leases/process-lease.ts';
import type { Logger } from '../log/log.ts';
import type { Wake } from '../work/wake.ts';
import type { ClaimedLink, LinkClaims } from './link-server.ts';

interface DatabaseClaimsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** UUID of this process. */
  readonly owner: string;
}

interface Claim {
  readonly processId: string | null;
  readonly owner: string;
  readonly address: string | null;
}

/** A copy tries again every few seconds. A time in the future was stored before the clock was set back. */
const isNews = 'COALESCE(copy_refused_at NOT BETWEEN NOW(3) - INTERVAL 10 MINUTE AND NOW(3), 1)';

export function databaseClaims({ db, wake, log, owner }: DatabaseClaimsOptions): LinkClaims {
  /** Of connections that have ended, while the database did not answer. By the id of the link: UUIDs of machines. */
  const ended = new Map<string, string>();
  const settle = async (): Promise<void> => {
    for (const [id, machineId] of ended) {
      await db.execute(
        'UPDATE machine_link SET link_id = NULL, process_id = NULL WHERE machine_id = ? AND link_id = ?',
        [machineId, id],
      );
      ended.delete(id);
    }
  };
  return {
    take: (link) => db.transaction((tx) => takeClaim(tx, link, owner)),
    async end({ id, machine }) {
      ended.set(id, machine.id);
      await settle().catch((error: unknown) => log.debug({ err: error }, 'the end of a link is written later'));
    },
    settle,
    async refused(link) {
      const report = (error: unknown) => log.warn({ err: error, machine: link.machine.name }, 'a copy is not recorded');
      await db.transaction((tx) => writeRefusal(tx, wake, link)).catch(report);
    },
  };
}

async function takeClaim(tx: Transaction, { id, machine, from }: ClaimedLink, owner: string) {
  await tx.execute(
    'INSERT INTO machine_link (machine_id, owner) VALUES (?, ?) ON DUPLICATE KEY UPDATE machine_id = VALUES(machine_id)',
    [machine.id, owner],
  );
  const [claim] = await tx.query<Claim>(
    'SELECT process_id AS processId, owner, address FROM machine_link WHERE machine_id = ? FOR UPDATE',
    [machine.id],
  );
  const { id: processId = null, address = null } = from;
  const isOther = claim?.processId != null && processId !== null && claim.processId !== processId;
  // Of its own connections a process knows more than the table.
  if (isOther && claim.owner !== owner && (await lives(tx, claim.owner)))
    return { connectedFrom: claim.address ?? undefined };
  await tx.execute(
    'UPDATE machine_link SET process_id = ?, link_id = ?, owner = ?, address = ? WHERE machine_id = ?',
    [processId, id, owner, address, machine.id],
  );
  return undefined;
}

async function lives(tx: Transaction, owner: string): Promise<boolean> {
  const name = processLeaseName('process', owner);
  return (await tx.query('SELECT 1 FROM lease WHERE name = ? AND expires_at > NOW(3)', [name])).length > 0;
}

async function writeRefusal(tx: Transaction, wake: Wake, { machine, from }: ClaimedLink): Promise<void> {
  const { affectedRows } = await tx.execute(
    `UPDATE machine_link SET copy_refused_at = NOW(3) WHERE machine_id = ? AND ${isNews}`,
    [machine.id],
  );
  // It is no change of the machine, so its version stays as it is.
  const [row] = await tx.query<{ version: number }>(columnOf('machine', 'version'), [machine.id]);
  if (affectedRows === 0 || row === undefined) return;
  const subject = { projectId: null, subjectId: machine.id, subjectVersion: row.version };
  const reason = `${machine.name}: a second process has its credentials, at ${from.address ?? 'an unknown address'}`;
  await appendStatus(
    tx,
    platformEvents,
    [{ ...subject, kind: 'machine.copyRefused', from: 'JOINED', to: 'JOINED', reason }],
    wake,
  );
}

/** When a copy was refused last, to ten minutes, by the UUID of the machine. */
export async function copiesRefusedAt(sql: Sql, machineIds: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  if (machineIds.length === 0) return new Map();
  const rows = await sql.query<{ id: string; at: Date }>(
    `SELECT machine_id AS id, copy_refused_at AS at FROM machine_link
      WHERE machine_id IN (${marksFor(machineIds)}) AND copy_refused_at IS NOT NULL`,
    machineIds,
  );
  return new Map(rows.map(({ id, at }) => [id, at]));
}

// Which process of each machine is connected, and to which process of the control plane. A second process with the machine's credentials is refused
// wherever it connects, and people see it. A claim counts while the process that has the connection lives, by its lease and the database's clock:
// nothing renews claims.
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

const mostEndsAtOnce = 500;

/** Renewals, of which one comes every 1.5 seconds. After an outage of the database all leases have expired, and each process takes its own again. */
const settledBeats = 3;

/** A copy tries again every few seconds. A time in the future was stored before the clock was set back. */
const isNews = 'COALESCE(copy_refused_at NOT BETWEEN NOW(3) - INTERVAL 10 MINUTE AND NOW(3), 1)';

export function databaseClaims({ db, wake, log, owner }: DatabaseClaimsOptions): LinkClaims {
  const taken = new Set<string>();
  /** Links that have ended, whose ends are not written: machines by link. */
  const ended = new Map<string, string>();
  let settling: Promise<void> | undefined;
  const settle = () => {
    settling ??= writeEnds(db, ended).finally(() => {
      settling = undefined;
    });
    return settling;
  };
  return {
    async take(link) {
      // Also one whose commit has an unknown outcome.
      taken.add(link.id);
      const other = await db.transaction((tx) => takeClaim(tx, link, owner));
      if (other !== undefined) taken.delete(link.id);
      return other;
    },
    async end({ id, machine }) {
      if (!taken.delete(id)) return;
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

async function writeEnds(db: Database, ended: Map<string, string>): Promise<void> {
  while (ended.size > 0) {
    const some = [...ended].slice(0, mostEndsAtOnce);
    const [links, machines] = [some.map(([id]) => id), some.map(([, machineId]) => machineId)];
    await db.execute(
      `UPDATE machine_link SET link_id = NULL, process_id = NULL
        WHERE machine_id IN (${marksFor(machines)}) AND link_id IN (${marksFor(links)})`,
      [...machines, ...links],
    );
    for (const id of links) ended.delete(id);
  }
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
  if (isOther && claim.owner !== owner && (await lives(tx, claim.owner, owner)))
    return { connectedFrom: claim.address ?? undefined };
  await tx.execute('UPDATE machine_link SET process_id = ?, link_id = ?, owner = ?, address = ? WHERE machine_id = ?', [
    processId,
    id,
    owner,
    address,
    machine.id,
  ]);
  return undefined;
}

/** This process sees the lease of another as expired only after it has kept its own for a while. */
async function lives(tx: Transaction, other: string, owner: string): Promise<boolean> {
  const [its, mine] = [other, owner].map((id) => processLeaseName('process', id)) as [string, string];
  const leases = await tx.query<{ name: string; live: number; beat: bigint }>(
    'SELECT name, expires_at > NOW(3) AS live, beat FROM lease WHERE name IN (?, ?)',
    [its, mine],
  );
  const own = leases.find(({ name }) => name === mine);
  const isSettled = own === undefined || (own.live === 1 && own.beat >= settledBeats);
  return !isSettled || leases.some(({ name, live }) => name === its && live === 1);
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
    [{ ...subject, kind: 'machine.copyRefused', from: null, to: 'REFUSED', reason }],
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

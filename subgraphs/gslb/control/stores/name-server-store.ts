// SQL of our own name servers: the generation of each zone that each server answers with, and the time of its last report.
import { leaveServerName, publishServerName } from '../../../../dns/ownership/server-names.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { historySql, readHistory } from '../../../../platform/events/database-history.ts';
import { absenceReason, appendPresence } from '../../../../platform/events/presence.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { hasReached, type Position } from '../../../../platform/values/positions.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { NameServerFacts, NameServerState } from '../../wire/dns-wire.ts';
import { gslbEvents } from '../events.ts';
import { inPages } from './vote-store.ts';
import { changeZones, zonePositions } from './zone-store.ts';

interface NameServerRow {
  /** UUID of the machine that joined. */
  readonly id: string;
  readonly name: string;
  readonly facts: NameServerFacts | null;
  /** Positions by absolute zone name. */
  readonly state: NameServerState | null;
  readonly heardAt: Date | null;
  readonly epoch: number;
}

type Raw = Omit<NameServerRow, 'facts' | 'state'> & { readonly facts: string; readonly state: string };

const columns = 'id, name, facts, zones AS state, heard_at AS heardAt, epoch';

function toRow(raw: Raw): NameServerRow {
  return { ...raw, facts: orNull(raw.facts), state: orNull(raw.state) };
}

function orNull<Value>(text: string): Value | null {
  return text === '{}' ? null : JSON.parse(text);
}

/** Sorted by name. */
export async function readNameServers(db: Sql): Promise<readonly NameServerRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb_name_server ORDER BY name`)).map(toRow);
}

/** The servers' addresses have changed. All zones list their servers, with their addresses. */
export async function serversChanged(tx: Transaction, wake: Wake): Promise<void> {
  const zones = await zonePositions(tx);
  await changeZones(
    tx,
    wake,
    zones.map(({ name: zone }) => ({ zone, fqdn: null, gslbId: null })),
  );
}

/** The name servers among these machines. */
export function nameServersAmong(
  db: Sql,
  ids: readonly string[],
): Promise<readonly Pick<NameServerRow, 'id' | 'name'>[]> {
  return inPages(ids, (page) =>
    db.query(`SELECT id, name FROM gslb_name_server WHERE id IN (${marksFor(page)}) ORDER BY id`, page),
  );
}

interface NameServerConnection {
  readonly machine: Pick<MachineName, 'id' | 'name'>;
  readonly facts: NameServerFacts;
  readonly linkedTo: string;
}

/** Only its newest connection counts. Returns the epoch with its history, and whether the server or its address is new. */
export async function connectNameServer(
  tx: Transaction,
  { machine, facts, linkedTo }: NameServerConnection,
): Promise<{ readonly epoch: number; readonly history: string; readonly moved: boolean }> {
  const sql = `SELECT ${columns} FROM gslb_name_server WHERE id = ? FOR UPDATE`;
  const [before] = (await tx.query<Raw>(sql, [machine.id])).map(toRow);
  const epoch = (before?.epoch ?? 0) + 1;
  await tx.execute(
    `INSERT INTO gslb_name_server (id, name, facts, heard_at, linked_to, epoch) VALUES (?, ?, ?, NOW(3), ?, ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), facts = VALUES(facts), heard_at = VALUES(heard_at), linked_to = VALUES(linked_to),
      epoch = VALUES(epoch)`,
    [machine.id, machine.name, JSON.stringify(facts), linkedTo, epoch],
  );
  await publishServerName(tx, machine);
  const place = ({ addresses }: NameServerFacts) => JSON.stringify(addresses);
  const isSame = before !== undefined && before.facts !== null && before.name === machine.name;
  return {
    epoch,
    history: await readHistory(tx),
    moved: !isSame || before.facts === null || place(before.facts) !== place(facts),
  };
}

/** False if it has a newer connection, or if the database's history differs from the connection's. */
export async function recordState(
  db: Sql,
  { id, epoch, history }: Pick<NameServerRow, 'id' | 'epoch'> & { readonly history: string },
  state: JsonObject,
): Promise<boolean> {
  const { affectedRows } = await db.execute(
    `UPDATE gslb_name_server SET zones = ?, heard_at = NOW(3) WHERE id = ? AND epoch = ? AND ${historySql} = ?`,
    [JSON.stringify(state), id, epoch, history],
  );
  return affectedRows > 0;
}

export async function endNameServer(db: Sql, { id, epoch }: Pick<NameServerRow, 'id' | 'epoch'>): Promise<void> {
  await db.execute('UPDATE gslb_name_server SET linked_to = NULL WHERE id = ? AND epoch = ?', [id, epoch]);
}

/** False if it is already gone. */
export async function forgetNameServer(tx: Transaction, id: string): Promise<boolean> {
  await leaveServerName(tx, id);
  return (await tx.execute('DELETE FROM gslb_name_server WHERE id = ?', [id])).affectedRows === 1;
}

/** A name server that has not reported for this long delays nothing: it receives everything when it returns. */
export const silentForMs = 10_000;

/** A time in the future was recorded before the database's clock was set back, and counts as little as an old one. */
const heardSql = `ABS(TIMESTAMPDIFF(MICROSECOND, heard_at, NOW(3))) < ${silentForMs} * 1000`;

interface SeenPresence {
  readonly id: string;
  readonly name: string;
  /** Presence in its last event, which has changed since. */
  readonly present: boolean;
  readonly heardAt: Date | null;
}

/** Servers that do not report, the longest-silent first. */
export function absentNameServers(db: Sql): Promise<readonly { id: string; name: string; heardAt: Date | null }[]> {
  return db.query(
    `SELECT id, name, heard_at AS heardAt FROM gslb_name_server WHERE NOT COALESCE(${heardSql}, 0) ORDER BY heard_at, id LIMIT 1000`,
  );
}

/** Name servers. `hasMoved`: whether their presence changed since their last event; these are first. */
export async function readPresences(db: Sql): Promise<readonly (SeenPresence & { readonly hasMoved: boolean })[]> {
  const rows = await db.query<Omit<SeenPresence, 'present'> & { readonly present: number; readonly moved: number }>(
    `SELECT id, name, present, heard_at AS heardAt, present <> COALESCE(${heardSql}, 0) AS moved FROM gslb_name_server
    ORDER BY moved DESC, id LIMIT 1000`,
  );
  return rows.map(({ moved, ...row }) => ({ ...row, present: row.present === 1, hasMoved: moved === 1 }));
}

/** Emits the event for a name server that reports again or no longer reports, if its row is unchanged. A second process finds nothing to do. */
export async function setPresence(tx: Transaction, wake: Wake, seen: SeenPresence): Promise<boolean> {
  const [row] = await tx.query<{ present: number; heardAt: Date | null; version: number }>(
    'SELECT present, heard_at AS heardAt, version FROM gslb_name_server WHERE id = ? FOR UPDATE',
    [seen.id],
  );
  if (row === undefined || (row.present === 1) !== seen.present) return false;
  if (seen.present && row.heardAt?.getTime() !== seen.heardAt?.getTime()) return false;
  await tx.execute('UPDATE gslb_name_server SET present = ?, version = version + 1 WHERE id = ?', [
    ...[!seen.present, seen.id],
  ]);
  const [from, to] = seen.present ? (['PRESENT', 'ABSENT'] as const) : (['ABSENT', 'PRESENT'] as const);
  const subject = { projectId: null, subjectId: seen.id, subjectVersion: row.version + 1 };
  const reason = to === 'ABSENT' ? absenceReason(seen.name, row.heardAt) : seen.name;
  const change = { ...subject, kind: 'gslbNameServer.state', from, to, name: seen.name, reason } as const;
  await appendPresence(tx, gslbEvents, change, wake);
  return true;
}

/** Number of name servers that report, and names of the ones that do not answer with a position of the zone yet. */
export async function behindOf(
  db: Sql,
  zone: string,
  position: Position,
): Promise<{ readonly heard: number; readonly behind: readonly string[] }> {
  const sql = `SELECT ${columns} FROM gslb_name_server WHERE ${heardSql} ORDER BY name`;
  const heard = (await db.query<Raw>(sql)).map(toRow);
  const behind = heard.filter(({ state }) => !hasReached(state?.zones[`${zone}.`], position));
  return { heard: heard.length, behind: behind.map(({ name }) => name) };
}

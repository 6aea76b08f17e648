// SQL of our own name servers: which generation of each zone each of them answers with, and when it was heard.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import type { Wake } from '../../../platform/wake.ts';
import { gslbEvents } from '../events.ts';
import type { NameServerFacts, NameServerState } from '../wire/dns-wire.ts';
import { inPages } from './vote-store.ts';

export interface NameServerRow {
  /** UUID of the machine that joined. */
  readonly id: string;
  readonly name: string;
  readonly facts: NameServerFacts | null;
  /** Generations by zone, absolute. */
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

/** By name. */
export async function readNameServers(db: Sql): Promise<readonly NameServerRow[]> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb_name_server ORDER BY name`)).map(toRow);
}

/** Those of these machines that are name servers. */
export function nameServersAmong(
  db: Sql,
  ids: readonly string[],
): Promise<readonly Pick<NameServerRow, 'id' | 'name'>[]> {
  return inPages(ids, (page) =>
    db.query(`SELECT id, name FROM gslb_name_server WHERE id IN (${marksFor(page)}) ORDER BY id`, page),
  );
}

export interface NameServerConnection {
  readonly machine: Pick<MachineName, 'id' | 'name'>;
  readonly facts: NameServerFacts;
  readonly linkedTo: string;
}

/** Its newest connection counts: returns the epoch, and whether it is another one than it was, or elsewhere. */
export async function connectNameServer(
  tx: Transaction,
  { machine, facts, linkedTo }: NameServerConnection,
): Promise<{ readonly epoch: number; readonly moved: boolean }> {
  const sql = `SELECT ${columns} FROM gslb_name_server WHERE id = ? FOR UPDATE`;
  const [before] = (await tx.query<Raw>(sql, [machine.id])).map(toRow);
  const epoch = (before?.epoch ?? 0) + 1;
  await tx.execute(
    `INSERT INTO gslb_name_server (id, name, facts, heard_at, linked_to, epoch) VALUES (?, ?, ?, NOW(3), ?, ?)
    ON DUPLICATE KEY UPDATE name = VALUES(name), facts = VALUES(facts), heard_at = VALUES(heard_at), linked_to = VALUES(linked_to),
      epoch = VALUES(epoch)`,
    [machine.id, machine.name, JSON.stringify(facts), linkedTo, epoch],
  );
  const place = ({ addresses }: NameServerFacts) => JSON.stringify(addresses);
  const isSame = before !== undefined && before.facts !== null && before.name === machine.name;
  return { epoch, moved: !isSame || before.facts === null || place(before.facts) !== place(facts) };
}

/** Unless it has a newer connection. */
export async function recordState(
  db: Sql,
  { id, epoch }: Pick<NameServerRow, 'id' | 'epoch'>,
  state: JsonObject,
): Promise<void> {
  await db.execute('UPDATE gslb_name_server SET zones = ?, heard_at = NOW(3) WHERE id = ? AND epoch = ?', [
    ...[JSON.stringify(state), id, epoch],
  ]);
}

export async function endNameServer(db: Sql, { id, epoch }: Pick<NameServerRow, 'id' | 'epoch'>): Promise<void> {
  await db.execute('UPDATE gslb_name_server SET linked_to = NULL WHERE id = ? AND epoch = ?', [id, epoch]);
}

/** False: it is not there any more. */
export async function forgetNameServer(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM gslb_name_server WHERE id = ?', [id])).affectedRows === 1;
}

/** A name server that was not heard for so long holds up nothing: it gets all when it returns. */
export const silentForMs = 10_000;

export interface SeenPresence {
  readonly id: string;
  readonly name: string;
  /** As its last event said; it is otherwise now. */
  readonly present: boolean;
  readonly heardAt: Date | null;
}

/** Those that are heard, and were last told not to be, or the other way round. */
export async function movedPresence(db: Sql): Promise<readonly SeenPresence[]> {
  const rows = await db.query<Omit<SeenPresence, 'present'> & { readonly present: number }>(
    `SELECT id, name, present, heard_at AS heardAt FROM gslb_name_server
    WHERE present <> COALESCE(heard_at > NOW(3) - INTERVAL ? * 1000 MICROSECOND, 0) ORDER BY id LIMIT 1000`,
    [silentForMs],
  );
  return rows.map((row) => ({ ...row, present: row.present === 1 }));
}

/** Tells that one is heard again, or no longer, if it is still as it was seen: whoever comes second finds nothing. */
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
  await appendStatus(tx, gslbEvents, [{ ...subject, kind: 'gslbNameServer.state', from, to, reason: seen.name }], wake);
  return true;
}

/** How many name servers are heard, and by name those of them that do not answer with a generation of the zone yet. */
export async function behindOf(
  db: Sql,
  zone: string,
  generation: number,
): Promise<{ readonly heard: number; readonly behind: readonly string[] }> {
  const sql = `SELECT ${columns} FROM gslb_name_server WHERE heard_at > NOW(3) - INTERVAL ? * 1000 MICROSECOND ORDER BY name`;
  const heard = (await db.query<Raw>(sql, [silentForMs])).map(toRow);
  const behind = heard.filter(({ state }) => (state?.zones[`${zone}.`] ?? -1) < generation);
  return { heard: heard.length, behind: behind.map(({ name }) => name) };
}

// The tables of machines and their tokens. Reads through the model; writes are SQL inside the mutation's own transaction.

import { keepServerName, leaveServerName, reserveServerName } from '../../../../dns/ownership/server-names.ts';
import { always, type Database, type Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { copiesRefusedAt } from '../../../../platform/link/link-claims.ts';
import { machineDays } from '../../../../platform/machines/authority.ts';
import { holdBack } from '../../../../platform/machines/host-record.ts';
import { deleteMachineRecords } from '../../../../platform/machines/machine-records.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { Machine } from './machine.ts';

interface NewMachine {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly joinHash: string;
  /** UUID. */
  readonly createdBy: string;
}

/** A machine named by a join token. */
interface Invitation extends Machine {
  /** Whether the token is still valid, by the database's clock. */
  readonly open: boolean;
  /** SHA-256 of the key that joined with it. */
  readonly joinKeyHash: string | null;
}

const shown = {
  id: true,
  version: true,
  name: true,
  role: true,
  createdAt: true,
  updatedAt: true,
  joinedAt: true,
  expiresAt: true,
  revokedAt: true,
} as const;

const columns =
  'id, version, name, role, created_at AS createdAt, updated_at AS updatedAt, joined_at AS joinedAt, expires_at AS expiresAt, revoked_at AS revokedAt';

const machineList: ListTable = {
  ...{ table: 'machine', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'machine_name_idx' },
};

/** Machines with this role are name servers. Their names in DNS are reserved for them. */
const nameServerRole = 'dns';
/** Minutes for which a join token is valid. */
const joinMinutes = 30;
/** Tokens of one machine that are valid at the same time: a machine renews a few times a week. */
const mostTokens = 16;
const mostRevocations = 10_000;

export class MachineStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Machine>> {
    const rows = await this.#db.prisma.machine.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** The revoked ones too. */
  page(filter: ListFilter): Promise<Page<Machine>> {
    return pageOfList(this.#db, machineList, filter, (ids) => this.byIds(ids));
  }

  /** See copiesRefusedAt. */
  copiesRefused(ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    return copiesRefusedAt(this.#db, ids);
  }

  /** The UUIDs of revoked machines whose certificates have not expired, most recently revoked first. */
  async revocations(): Promise<readonly string[]> {
    const rows = await this.#db.query<{ id: string }>(
      `SELECT id FROM machine WHERE revoked_at IS NOT NULL AND expires_at > NOW(3) ORDER BY revoked_at DESC LIMIT ${mostRevocations}`,
    );
    return rows.map(({ id }) => id);
  }

  /** Frees the name if its machine did not join in time. Throws the database's duplicate key error when the name is taken. */
  async insert(tx: Transaction, { id, name, role, joinHash, createdBy }: NewMachine): Promise<Date> {
    const lapsed = await tx.query<{ id: string }>(
      `SELECT id FROM machine WHERE active_name = ? AND joined_at IS NULL AND join_until < ${trustedNow} FOR UPDATE`,
      [name],
    );
    for (const { id: other } of lapsed) {
      await tx.execute('DELETE FROM machine WHERE id = ?', [other]);
      await deleteMachineRecords(tx, other);
    }
    await tx.execute(
      `INSERT INTO machine (id, name, active_name, role, join_hash, join_until, created_by)
       VALUES (?, ?, ?, ?, ?, NOW(3) + INTERVAL ${joinMinutes} MINUTE, ?)`,
      [id, name, name, role, joinHash, createdBy],
    );
    const rows = await tx.query<{ until: Date }>('SELECT join_until AS until FROM machine WHERE id = ?', [id]);
    const until = rows[0]?.until ?? new Date();
    if (role === nameServerRole) await reserveServerName(tx, { id, name }, until);
    return until;
  }

  async invitation(joinHash: string): Promise<Invitation | undefined> {
    const rows = await this.#db.query<Machine & { open: unknown; joinKeyHash: string | null }>(
      `SELECT ${columns}, join_until > NOW(3) AS open, join_key_hash AS joinKeyHash FROM machine WHERE join_hash = ?`,
      [joinHash],
    );
    return rows[0] && { ...rows[0], open: Boolean(rows[0].open) };
  }

  /** Locks the machine until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<Machine | undefined> {
    const rows = await tx.query<Machine>(`SELECT ${columns} FROM machine WHERE id = ? FOR UPDATE`, [id]);
    return rows[0];
  }

  /** Returns false if the machine was revoked, the token has expired, or another key has joined with it. */
  async join(tx: Transaction, id: string, keyHash: string): Promise<boolean> {
    const { affectedRows } = await tx.execute(
      `UPDATE machine SET version = version + 1, updated_at = NOW(3), joined_at = COALESCE(joined_at, NOW(3)), join_key_hash = ?
        WHERE id = ? AND revoked_at IS NULL AND join_until > NOW(3) AND (join_key_hash IS NULL OR join_key_hash = ?)`,
      [keyHash, id, keyHash],
    );
    if (affectedRows !== 1) return false;
    const [machine] = await tx.query<{ name: string; role: string }>('SELECT name, role FROM machine WHERE id = ?', [
      id,
    ]);
    if (machine?.role === nameServerRole) await keepServerName(tx, { id, name: machine.name });
    return true;
  }

  /** Adds a token, and records how long the machine's newest credentials are valid. */
  async addToken(tx: Transaction, id: string, tokenHash: string): Promise<Date> {
    await tx.execute(`DELETE FROM machine_token WHERE machine_id = ? AND expires_at < ${trustedNow}`, [id]);
    await tx.execute(
      `INSERT INTO machine_token (hash, machine_id, expires_at) VALUES (?, ?, NOW(3) + INTERVAL ${machineDays} DAY)`,
      [tokenHash, id],
    );
    await tx.execute(
      `DELETE FROM machine_token WHERE machine_id = ? AND hash NOT IN
         (SELECT hash FROM (SELECT hash FROM machine_token WHERE machine_id = ? ORDER BY expires_at DESC, hash = ? DESC LIMIT ${mostTokens}) kept)`,
      [id, id, tokenHash],
    );
    await tx.execute(`UPDATE machine SET expires_at = NOW(3) + INTERVAL ${machineDays} DAY WHERE id = ?`, [id]);
    const rows = await tx.query<{ expiresAt: Date }>('SELECT expires_at AS expiresAt FROM machine WHERE id = ?', [id]);
    return rows[0]?.expiresAt ?? new Date();
  }

  /** The names of machines that are not revoked and may join or have joined, by UUID. */
  async present(tx: Transaction, machines: readonly { readonly id: string }[]): Promise<ReadonlyMap<string, string>> {
    const rows = await tx.query<{ id: string; name: string }>(
      `SELECT id, name FROM machine WHERE id IN (${marksFor(machines)}) AND revoked_at IS NULL
      AND (joined_at IS NOT NULL OR join_until > ${trustedNow})`,
      machines.map(({ id }) => id),
    );
    return new Map(rows.map(({ id, name }) => [id, name]));
  }

  /** Frees the name and the networks. */
  async revoke(tx: Transaction, id: string): Promise<void> {
    await tx.execute(
      'UPDATE machine SET revoked_at = NOW(3), updated_at = NOW(3), active_name = NULL, version = version + 1 WHERE id = ?',
      [id],
    );
    await leaveServerName(tx, id);
    await holdBack(tx, id);
  }
}

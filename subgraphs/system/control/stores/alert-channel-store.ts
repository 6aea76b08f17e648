// The table of alert channels. Reads through the model; writes are SQL inside the mutation's own transaction.
import type { AlertChannelKind } from '../../../../generated/graph/system.ts';
import { always, type Database, type Sql, type Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { Sealed } from '../../../../platform/secrets/seal.ts';
import type { AlertChannel, ChannelSpec } from './alert-channel.ts';
import { scopeOf } from './alert-scope.ts';

type NewAlertChannel = Omit<AlertChannel, 'version' | 'failingSince' | 'givenUp' | 'createdAt' | 'updatedAt'>;

const channelList: ListTable = {
  ...{ table: 'alert_channel', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'alert_channel_list_idx' },
  ofProject: { time: 'alert_channel_project_idx', name: 'alert_channel_project_name_idx' },
};

export class AlertChannelStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  byIds(ids: readonly string[]): Promise<ReadonlyMap<string, AlertChannel>> {
    return readChannels(this.#db, ids);
  }

  page(filter: ListFilter): Promise<Page<AlertChannel>> {
    return pageOfList(this.#db, channelList, filter, (ids) => this.byIds(ids));
  }

  /** Count for a project (UUID), or for the installation. Its scope must be locked. */
  async count(tx: Transaction, projectId: string | null): Promise<number> {
    const sql = 'SELECT COUNT(*) AS count FROM alert_channel WHERE scope = ?';
    return Number((await tx.query<{ count: number }>(sql, [scopeOf(projectId)]))[0]?.count ?? 0);
  }

  /** Throws the database's duplicate key error. */
  async insert(tx: Transaction, channel: NewAlertChannel): Promise<void> {
    const { id, projectId, name, kind, enabled, isDefault, spec, sealed } = channel;
    const scope = scopeOf(projectId);
    await tx.execute(
      `INSERT INTO alert_channel (id, project_id, scope, default_scope, name, kind, enabled, spec, key_id, sealed_secret)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[id, projectId, scope, isDefault ? scope : null, name, kind, enabled, JSON.stringify(spec)],
        ...[sealed.keyId, sealed.sealed],
      ],
    );
  }

  /** Removes the default mark in a scope, which must be locked. Returns the changed channel. */
  async unsetDefault(tx: Transaction, projectId: string | null): Promise<AlertChannel | undefined> {
    const sql = `SELECT ${columns} FROM alert_channel WHERE default_scope = ? FOR UPDATE`;
    const [row] = await tx.query<StoredChannel>(sql, [scopeOf(projectId)]);
    if (row === undefined) return undefined;
    const changed = { ...typed(row), isDefault: false };
    await this.update(tx, changed);
    return { ...changed, version: changed.version + 1 };
  }

  async update(tx: Transaction, { id, projectId, enabled, isDefault, spec, sealed }: AlertChannel): Promise<void> {
    await tx.execute(
      `UPDATE alert_channel SET enabled = ?, default_scope = ?, spec = ?, key_id = ?, sealed_secret = ?, version = version + 1, updated_at = NOW(3)
        WHERE id = ?`,
      [enabled, isDefault ? scopeOf(projectId) : null, JSON.stringify(spec), sealed.keyId, sealed.sealed, id],
    );
  }

  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.execute('DELETE FROM alert_channel WHERE id = ?', [id]);
  }

  /** The name of a rule that uses the channel. The channel must be locked. */
  async userOf(tx: Transaction, id: string): Promise<string | undefined> {
    const rows = await tx.query<{ name: string }>(
      'SELECT r.name FROM alert_rule_channel c JOIN alert_rule r ON r.id = c.rule_id WHERE c.channel_id = ? LIMIT 1',
      [id],
    );
    return rows[0]?.name;
  }
}

export async function readChannels(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, AlertChannel>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<StoredChannel>(
    `SELECT ${columns} FROM alert_channel WHERE id IN (${marksFor(ids)})`,
    ids,
  );
  return new Map(rows.map((row) => [row.id, typed(row)]));
}

export async function lockChannel(tx: Transaction, id: string): Promise<AlertChannel | undefined> {
  const rows = await tx.query<StoredChannel>(`SELECT ${columns} FROM alert_channel WHERE id = ? FOR UPDATE`, [id]);
  return rows[0] && typed(rows[0]);
}

/** The channels (UUIDs) whose secrets are sealed with another key than this one. */
export async function staleChannels(sql: Sql, keyId: string): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string }>('SELECT id FROM alert_channel WHERE key_id <> ? ORDER BY id', [keyId]);
  return rows.map(({ id }) => id);
}

export async function storeChannelSecret(tx: Transaction, id: string, { keyId, sealed }: Sealed): Promise<void> {
  await tx.execute('UPDATE alert_channel SET key_id = ?, sealed_secret = ? WHERE id = ?', [keyId, sealed, id]);
}

const columns = `id, version, project_id AS projectId, name, kind, enabled, default_scope IS NOT NULL AS isDefault, spec, key_id AS keyId,
  sealed_secret AS sealedSecret,
  failing_since AS failingSince, given_up AS givenUp, created_at AS createdAt, updated_at AS updatedAt`;

interface StoredChannel extends Omit<AlertChannel, 'kind' | 'enabled' | 'isDefault' | 'spec' | 'sealed'> {
  readonly kind: string;
  readonly enabled: boolean | number;
  readonly isDefault: number;
  readonly spec: string;
  readonly keyId: string;
  readonly sealedSecret: Buffer;
}

function typed({ kind, enabled, isDefault, spec, keyId, sealedSecret, ...row }: StoredChannel): AlertChannel {
  return {
    ...row,
    ...{
      kind: kind as AlertChannelKind,
      enabled: Boolean(enabled),
      isDefault: isDefault === 1,
      spec: JSON.parse(spec) as ChannelSpec,
    },
    sealed: { keyId, sealed: sealedSecret },
  };
}

// Handles revoked tokens and machines, changed passwords, disabled users and former administrators that a restored backup, or a promotion that lost
// writes, brings back. All sessions from before the loss end, because it is unknown which of them had ended.

import { leaveServerName } from '../../../../dns/ownership/server-names.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { EventOfKind } from '../../../../platform/events/history.ts';
import { holdBack } from '../../../../platform/machines/host-record.ts';
import type { RevocableAccess, TakenAccess } from '../../../../platform/restore/revived-access.ts';
import { timelineBeganSql } from '../../../../platform/restore/timelines.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { systemEvents } from '../events.ts';

export const systemAccess: RevocableAccess = {
  types: ['ApiToken', 'Machine', 'User'],
  kinds: ['apiToken.revoked', 'machine.revoked', 'user.changed'],
  takenBy,
  takeAgain,
  endOthers: endSessions,
};

const takenFromUsers = ['password', 'disabled', 'admin'] as const;
type TakenFromUser = (typeof takenFromUsers)[number];

function isTakenFromUser(taken: string): taken is TakenFromUser {
  return (takenFromUsers as readonly string[]).includes(taken);
}

function takenBy({ kind, id, version, from, to, reason }: EventOfKind): readonly TakenAccess[] {
  if (kind === 'apiToken.revoked') return [{ type: 'ApiToken', id, version, taken: 'revoked' }];
  if (kind === 'machine.revoked') return [{ type: 'Machine', id, version, taken: 'revoked' }];
  const changed = (reason ?? '').split(', ');
  const taken: TakenFromUser[] = [];
  if (changed.includes('password')) taken.push('password');
  if (from === 'ACTIVE' && to === 'DISABLED') taken.push('disabled');
  if (changed.includes('admin')) taken.push('admin');
  return taken.map((each) => ({ type: 'User', id, version, taken: each }));
}

async function takeAgain(tx: Transaction, wake: Wake, taken: TakenAccess): Promise<string | undefined> {
  switch (taken.type) {
    case 'ApiToken':
      return revokeToken(tx, wake, taken);
    case 'Machine':
      return revokeMachine(tx, wake, taken);
    default:
      return isTakenFromUser(taken.taken) ? takeFromUser(tx, wake, { ...taken, taken: taken.taken }) : undefined;
  }
}

const again = 'it was revoked before the database was set back';

async function revokeToken(tx: Transaction, wake: Wake, { id }: TakenAccess): Promise<string | undefined> {
  const [row] = await tx.query<{ version: number; projectId: string }>(
    'SELECT version, project_id AS projectId FROM api_token WHERE id = ? AND revoked_at IS NULL FOR UPDATE',
    [id],
  );
  if (row === undefined) return undefined;
  await tx.execute(
    'UPDATE api_token SET revoked_at = NOW(3), updated_at = NOW(3), version = version + 1 WHERE id = ?',
    [id],
  );
  const event = { projectId: row.projectId, subjectId: id, subjectVersion: row.version + 1, reason: again };
  await appendStatus(tx, systemEvents, [{ ...event, kind: 'apiToken.revoked', from: 'ACTIVE', to: 'REVOKED' }], wake);
  return 'revoked';
}

async function revokeMachine(tx: Transaction, wake: Wake, { id }: TakenAccess): Promise<string | undefined> {
  const [row] = await tx.query<{ version: number; joined: number }>(
    'SELECT version, joined_at IS NOT NULL AS joined FROM machine WHERE id = ? AND revoked_at IS NULL FOR UPDATE',
    [id],
  );
  if (row === undefined) return undefined;
  await tx.execute(
    'UPDATE machine SET revoked_at = NOW(3), active_name = NULL, updated_at = NOW(3), version = version + 1 WHERE id = ?',
    [id],
  );
  await leaveServerName(tx, id);
  await holdBack(tx, id);
  const event = { projectId: null, subjectId: id, subjectVersion: row.version + 1, reason: again };
  const from = row.joined === 1 ? 'JOINED' : 'INVITED';
  await appendStatus(tx, systemEvents, [{ ...event, kind: 'machine.revoked', from, to: 'REVOKED' }], wake);
  return 'revoked';
}

/** A later version contains the change, or was made by somebody who saw the restored state. */
async function takeFromUser(
  tx: Transaction,
  wake: Wake,
  { id, taken, version }: TakenAccess & { readonly taken: TakenFromUser },
): Promise<string | undefined> {
  const admins = await tx.query<{ id: string }>(
    'SELECT id FROM user WHERE admin = 1 AND disabled = 0 AND password_hash IS NOT NULL ORDER BY id FOR UPDATE',
  );
  const [row] = await tx.query<{ version: number; admin: number; disabled: number; hasPassword: number }>(
    'SELECT version, admin, disabled, password_hash IS NOT NULL AS hasPassword FROM user WHERE id = ? FOR UPDATE',
    [id],
  );
  if (row === undefined || row.version >= version) return undefined;
  const has = { password: row.hasPassword === 1, disabled: row.disabled === 0, admin: row.admin === 1 };
  if (!has[taken]) return undefined;
  if (admins.length === 1 && admins[0]?.id === id)
    return `the ${taken === 'password' ? 'old password' : 'account'} of the last administrator stays: change its password now`;
  const set = { password: 'password_hash = NULL', disabled: 'disabled = 1', admin: 'admin = 0' }[taken];
  // The version stays unchanged, so that other changes that were lost before this one still count.
  await tx.execute(`UPDATE user SET ${set} WHERE id = ?`, [id]);
  // Somebody may have logged in with it since the loss was noticed.
  if (taken === 'password') await tx.execute(endSessionsSql('user_id = ?'), [id]);
  const from = row.disabled === 1 ? 'DISABLED' : 'ACTIVE';
  const to = taken === 'disabled' ? 'DISABLED' : from;
  const event = { projectId: null, subjectId: id, subjectVersion: row.version, from, to } as const;
  const reason = `${taken}: it had changed before the database was set back`;
  await appendStatus(tx, systemEvents, [{ ...event, kind: 'user.changed', reason }], wake);
  return taken === 'password' ? 'the old password no longer works' : taken;
}

async function endSessions(db: Database, epoch: number): Promise<number> {
  const { affectedRows } = await db.execute(endSessionsSql(`created_at < ${timelineBeganSql}`), [epoch]);
  return affectedRows;
}

function endSessionsSql(which: string): string {
  return `UPDATE session SET ended_at = NOW(3) WHERE ended_at IS NULL AND ${which}`;
}

// Compares a restored database with the log of the clients.
import type { Connection } from 'mariadb';
import { idsIn } from '../../tests/backup/support/backed-up.ts';
import type { Writers } from './writers.ts';

export interface Judged {
  /** Writes that were acknowledged before the moment and are missing. */
  readonly lost: number;
  /** Writes that were sent at the moment or later and are there. */
  readonly fromTheFuture: number;
  /** Tokens whose revocation was acknowledged before the moment, and that work. */
  readonly revived: number;
  /** Restored databases without a lossy timeline, which keeps calls from being repeated. */
  readonly unguarded: number;
}

export async function judge(sql: Connection, load: Writers, at: Date): Promise<Judged> {
  const moment = at.getTime();
  const present = new Set(await idsIn(sql));
  const rows = [...load.rows];
  const active = await sql.query<{ id: string }[]>('SELECT id FROM api_token WHERE revoked_at IS NULL');
  const works = new Set(active.map(({ id }) => id));
  const [timeline] = await sql.query<{ lossy: number }[]>('SELECT lossy FROM db_timeline ORDER BY epoch DESC LIMIT 1');
  const ackedBefore = ({ ackedAtMs }: { readonly ackedAtMs: number | undefined }) =>
    ackedAtMs !== undefined && ackedAtMs < moment;
  return {
    lost: rows.filter(([id, write]) => ackedBefore(write) && !present.has(id)).length,
    fromTheFuture: rows.filter(([id, { sentAtMs }]) => sentAtMs >= moment && present.has(id)).length,
    revived: [...load.revoked].filter(([id, write]) => ackedBefore(write) && works.has(id)).length,
    unguarded: timeline?.lossy === 1 ? 0 : 1,
  };
}

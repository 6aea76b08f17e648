// What both hosts hold in the end. The copy is asked only after it has applied what the primary has: what it has not applied yet is not
// missing.
import type { Session } from '../../../ha/agent/session.ts';
import type { Row } from './judge.ts';
import type { DataHost } from './network.ts';
import type { Pair } from './pair.ts';
import { database } from './settings.ts';

export interface Holdings {
  readonly rows: ReadonlyMap<string, Row>;
  readonly copy: ReadonlyMap<string, Row>;
  /** Writes with more than one event, at the primary. */
  readonly repeated: number;
  /** False: the copy did not apply everything in time, and what it lacks is told as it is. */
  readonly caughtUp: boolean;
}

const readTimeoutMs = 60_000;

/** Without load. Throws when a host does not answer. */
export async function holdingsOf(
  ha: Pick<Pair, 'hasCaughtUp' | 'sql'>,
  primary: DataHost,
  withinMs: number,
): Promise<Holdings> {
  const other = primary === 'a' ? 'b' : 'a';
  const caughtUp = await ha.hasCaughtUp(other, primary, withinMs).catch(() => false);
  return {
    caughtUp,
    rows: await inSession(ha.sql(primary), rowsIn),
    copy: await inSession(ha.sql(other), rowsIn),
    repeated: await inSession(ha.sql(primary), repeatedIn),
  };
}

async function rowsIn(session: Session): Promise<ReadonlyMap<string, Row>> {
  const sql = `SELECT id, epoch, server FROM ${database}.ha_write`;
  const rows = await session.query<{ id: string; epoch: number; server: number }[]>(sql, [], readTimeoutMs);
  return new Map(rows.map(({ id, epoch, server }) => [id, { epoch, server }]));
}

async function repeatedIn(session: Session): Promise<number> {
  const sql = `SELECT COUNT(*) AS several FROM (SELECT id FROM ${database}.ha_event GROUP BY id HAVING COUNT(*) > 1) AS repeated`;
  const [row] = await session.query<{ several: number }[]>(sql, [], readTimeoutMs);
  return row?.several ?? 0;
}

async function inSession<Result>(session: Session, work: (session: Session) => Promise<Result>): Promise<Result> {
  try {
    return await work(session);
  } finally {
    session.forget();
  }
}

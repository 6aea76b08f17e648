// Reads the contents of both hosts at the end. The copy is read only after it has applied everything from the primary, so that events that
// are not applied yet do not count as missing.
import type { Session } from '../../ha/agent/session.ts';
import type { DataHost } from './network.ts';
import type { Pair } from './pair.ts';
import { database } from './settings.ts';
import type { Row } from './verdict.ts';

export interface Holdings {
  readonly rows: ReadonlyMap<string, Row>;
  readonly copy: ReadonlyMap<string, Row>;
  /** Writes with more than one event on the primary. */
  readonly repeated: number;
  /** False if the copy did not apply everything in time; its missing rows are then reported as they are. */
  readonly caughtUp: boolean;
}

const readTimeoutMs = 60_000;

/** Call it when there is no load. Throws if a host does not answer. */
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

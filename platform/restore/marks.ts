// How far the database has come, as machines remember it: the number of status events. It only rises within a history, so a machine that
// remembers a higher one proves that the database was set back. Marks are signed, because that proof has consequences for everybody.
import { timingSafeEqual } from 'node:crypto';
import type { Database, Sql } from '../database/database.ts';
import { historySql, noticeSetBack } from '../events/database-history.ts';
import type { LinkMarks } from '../link/link-server.ts';
import type { Logger } from '../log/log.ts';
import type { Sealer } from '../secrets/seal.ts';
import { comparePositions, type Position } from '../values/positions.ts';

interface DatabaseMarksOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly sealer: Sealer;
}

export function databaseMarks({ db, log, sealer }: DatabaseMarksOptions): LinkMarks {
  /** The highest that this process has read. */
  let highest: Position | undefined;
  const noticeBehind = async (who: string, remembered: Position, own: Position): Promise<void> => {
    if (comparePositions(remembered, own) !== 'AHEAD') return;
    await noticeSetBack(db, log, {
      history: own.history,
      reason: `${who} remembers ${remembered.number} status events, and the database has ${own.number}`,
      isStillTrue: async (sql) => comparePositions(remembered, await readMark(sql)) === 'AHEAD',
    });
  };
  return {
    async read() {
      const position = await readMark(db);
      if (highest !== undefined) await noticeBehind('this process', highest, position);
      if (highest === undefined || comparePositions(highest, position) !== 'AHEAD') highest = position;
      return { position, proof: proofOf(sealer, position) ?? '' };
    },
    async check({ role, name }, { position, proof }) {
      if (!isProof(sealer, position, proof)) {
        log.warn(
          { role, machine: name },
          'a machine remembers a mark that is not signed by this installation: it is ignored',
        );
        return;
      }
      await noticeBehind(`the ${role} ${name}`, position, await readMark(db));
    },
  };
}

async function readMark(sql: Pick<Sql, 'query'>): Promise<Position> {
  const [row] = await sql.query<Position>(
    `SELECT ${historySql} AS history, next_seq - 1 AS number FROM status_sequencer WHERE id = 1`,
  );
  if (row === undefined) throw new Error('status_sequencer is empty: apply the migrations');
  return row;
}

function proofOf(sealer: Sealer, { history, number }: Position, keyId?: string): string | undefined {
  return sealer.hash(`${history}/${number}`, 'mark of the database', keyId);
}

function isProof(sealer: Sealer, position: Position, proof: string): boolean {
  const right = proofOf(sealer, position, proof.split(':')[0]);
  if (right === undefined || right.length !== proof.length) return false;
  return timingSafeEqual(Buffer.from(right), Buffer.from(proof));
}

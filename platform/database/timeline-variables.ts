// SQL for a block that needs the timelines of the database several times: it reads them once, into variables.

/** Among the first statements of the block. */
export const declareTimelinesSql = 'DECLARE newest_epoch, lost_epoch, unlifted_epoch INT UNSIGNED';

/**
 * Reads the epochs of the newest timeline, of the last one that began with a loss, and of the last one among these that nobody has
 * lifted. 0 if there was none.
 */
export const readTimelinesSql = `SELECT MAX(epoch), COALESCE(MAX(IF(lossy = 1, epoch, 0)), 0),
  COALESCE(MAX(IF(lossy = 1 AND lifted_at IS NULL, epoch, 0)), 0) INTO newest_epoch, lost_epoch, unlifted_epoch FROM db_timeline`;

/** Afterwards: writes a commit record. Value: its UUID. */
export const writeCommitSql = 'INSERT INTO commit_record (id, timeline) VALUES (?, newest_epoch)';

/** A join whose `alias`.id is null if the database lacks a commit. Value: its UUID. */
export function joinCommitSql(alias: string): string {
  return `LEFT JOIN commit_record ${alias} ON ${alias}.id = ? AND ${alias}.timeline > 0`;
}

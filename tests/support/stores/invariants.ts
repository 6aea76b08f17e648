// Invariants of the database as SQL, which must hold whatever has happened to the processes. They run at the end of
// end-to-end tests, benchmarks and failure trials. Each query returns the rows that break its invariant.
import { Database, type DatabaseLocation, type Sql, type SqlValue } from '../../../platform/database/database.ts';

interface Invariant {
  readonly sql: string;
  /** It needs no tables of subgraphs. */
  readonly ofPlatform?: true;
  readonly values?: (options: InvariantOptions) => readonly SqlValue[];
}

export interface InvariantOptions {
  /**
   * How long after its deadline a call may be SENT: send window, grace and the recovery interval, with room for a busy
   * machine.
   */
  readonly overdueMs?: number;
  /** The database has the tables of platform alone. */
  readonly onlyPlatform?: boolean;
  /** Invariants that are not checked, for tests that write to the tables directly. */
  readonly except?: readonly InvariantName[];
}

const defaultOverdueMs = 30_000;
/** Without retention the events of a row are complete. */
const complete = '(SELECT oldest_seq FROM status_sequencer WHERE id = 1) <= 1';
const last = (subject: string, row: string, kinds = '') =>
  `(SELECT e.to_status FROM status_change e WHERE e.subject_type = '${subject}' AND e.subject_id = ${row}.id ${kinds}
    ORDER BY e.subject_version DESC, e.id DESC LIMIT 1)`;
const lastVersion = (subject: string, row: string) =>
  `(SELECT MAX(e.subject_version) FROM status_change e WHERE e.subject_type = '${subject}' AND e.subject_id = ${row}.id)`;

const invariants = {
  'no call is SENT long after its deadline': {
    sql: `SELECT o.id, o.owner, o.deadline_at FROM operation o
      WHERE o.state = 'SENT' AND o.deadline_at < NOW(3) - INTERVAL ? * 1000 MICROSECOND`,
    values: ({ overdueMs = defaultOverdueMs }) => [overdueMs],
  },
  'a call has a claim only while it is under way or unsettled': {
    sql: `SELECT o.id, o.state, o.claim FROM operation o
      WHERE (o.claim IS NOT NULL AND o.state NOT IN ('SENT', 'UNKNOWN', 'ACCEPTED'))
        OR (o.state = 'SENT' AND (o.claim IS NULL OR o.claim <> o.object_hash))`,
  },
  'an object has one live mapping, or all are shared': {
    sql: `SELECT m.backend_id, m.object_hash, COUNT(*) AS live FROM mapping m WHERE m.state <> 'DELETED'
      GROUP BY m.backend_id, m.object_hash HAVING COUNT(*) > 1 AND MIN(m.shared) = 0`,
  },
  'the owner slot of a mapping is as its state and sharing say': {
    sql: `SELECT m.id, m.state, m.shared, m.owner_slot FROM mapping m
      WHERE NOT m.owner_slot <=> IF(m.state = 'DELETED', NULL, IF(m.shared, m.id, ''))`,
  },
  'no mapping is live on a deleted backend': {
    sql: `SELECT m.id, m.state FROM mapping m JOIN backend b ON b.id = m.backend_id
      WHERE b.provisioning_status = 'DELETED' AND m.state IN ('ACTIVE', 'UNVERIFIED')`,
  },
  'a version of an operation or a mapping has one event': {
    ofPlatform: true,
    sql: `SELECT e.subject_type, e.subject_id, e.subject_version, COUNT(*) AS events FROM status_change e
      WHERE e.subject_type IN ('RelayOperation', 'Mapping')
      GROUP BY e.subject_type, e.subject_id, e.subject_version HAVING COUNT(*) > 1`,
  },
  'a version of a backend has one event of each kind': {
    ofPlatform: true,
    sql: `SELECT e.subject_id, e.subject_version, e.kind, e.to_status FROM status_change e WHERE e.subject_type = 'Backend'
      GROUP BY e.subject_id, e.subject_version, e.kind, e.to_status HAVING COUNT(*) > 1`,
  },
  'an operation is as its last event says': {
    sql: `SELECT o.id, o.state, o.version FROM operation o WHERE ${complete}
      AND NOT (o.version <=> ${lastVersion('RelayOperation', 'o')} AND o.state <=> ${last('RelayOperation', 'o')})`,
  },
  'a mapping is as its last event says': {
    sql: `SELECT m.id, m.state, m.version FROM mapping m WHERE ${complete}
      AND NOT (m.version <=> ${lastVersion('Mapping', 'm')}
        AND m.state <=> ${last('Mapping', 'm', "AND e.kind IN ('mapping.state', 'mapping.changed')")})`,
  },
  'owed work is due while it is wanted, and only then': {
    ofPlatform: true,
    sql: `SELECT w.kind, w.\`key\`, w.wanted, w.done, w.due_at FROM owed_work w
      WHERE (w.wanted > w.done) <> (w.due_at IS NOT NULL)`,
  },
} satisfies Record<string, Invariant>;

type InvariantName = keyof typeof invariants;

/** The broken invariants, each with a few of its rows. Empty when all hold. */
export async function brokenInvariants(db: Pick<Sql, 'query'>, options: InvariantOptions = {}): Promise<string[]> {
  const broken: string[] = [];
  for (const [name, { sql, values, ofPlatform }] of Object.entries<Invariant>(invariants)) {
    if (options.except?.includes(name as InvariantName)) continue;
    if (options.onlyPlatform === true && ofPlatform !== true) continue;
    const rows = await db.query(`${sql} LIMIT 5`, values?.(options) ?? []);
    if (rows.length > 0) broken.push(`not so: ${name}: ${JSON.stringify(rows)}`);
  }
  return broken;
}

/** Like `brokenInvariants`, over its own connection. */
export async function brokenInvariantsAt(connection: DatabaseLocation, options?: InvariantOptions): Promise<string[]> {
  const db = new Database({ connection, connectionLimit: 2 });
  try {
    return await brokenInvariants(db, options);
  } finally {
    await db.close();
  }
}

/** Throws when one is broken. */
export async function checkInvariants(connection: DatabaseLocation, options?: InvariantOptions): Promise<void> {
  const broken = await brokenInvariantsAt(connection, options);
  if (broken.length > 0) throw new Error(broken.join('\n'));
}

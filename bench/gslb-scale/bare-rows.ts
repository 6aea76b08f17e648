// The minimum for a site's death: plain statements write the rows and events that the conductor wrote for one site, but for another site,
// without reading or judging anything. The rows have the same number, columns, bytes and durability.
import type { Database, SqlValue, Transaction } from '../../platform/database/database.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { columnsOf, membersOfPool, rangeOf, shifted } from './data-set.ts';

type Row = Readonly<Record<string, SqlValue>>;

interface Written {
  readonly table: string;
  readonly columns: readonly string[];
  /** Existing rows are updated. */
  readonly updates: boolean;
  readonly rows: readonly Row[];
}

/** Pools whose first members died, from one number up to another. */
export interface Site {
  readonly from: number;
  readonly to: number;
}

interface Marks {
  readonly eventId: number;
  readonly flipId: string;
}

/** An offset for generations, so that they differ from the conductor's. */
const farAhead = 1_000_000_000;
const writers = 4;
/** As many members as there are verdicts in one batch. */
const membersAtOnce = 1_000;

/** Everything that is written after this call belongs to a site. */
export async function marksNow(db: Database): Promise<Marks> {
  const [row] = await db.query<Marks>(
    "SELECT COALESCE((SELECT MAX(id) FROM status_change), 0) AS eventId, COALESCE((SELECT MAX(id) FROM gslb_flip), '') AS flipId",
  );
  return row ?? { eventId: 0, flipId: '' };
}

const rowsOf: readonly {
  readonly table: string;
  readonly updates: boolean;
  readonly where: string;
  readonly by: 'member' | 'name' | 'zone';
}[] = [
  { table: 'gslb_vote', updates: true, where: 'member_id BETWEEN ? AND ?', by: 'member' },
  { table: 'gslb_pool_member', updates: true, where: 'id BETWEEN ? AND ?', by: 'member' },
  { table: 'gslb_verdict', updates: true, where: 'member_id BETWEEN ? AND ?', by: 'member' },
  { table: 'gslb_flip', updates: false, where: 'member_id BETWEEN ? AND ? AND id > ?', by: 'member' },
  { table: 'gslb', updates: true, where: 'id BETWEEN ? AND ?', by: 'name' },
];

/** The current rows of a site's first members. */
async function readRows(db: Database, { from, to }: Site, { flipId }: Marks): Promise<readonly Written[]> {
  const all: Written[] = [];
  for (const { table, updates, where, by } of rowsOf) {
    const range = rangeOf(by === 'name' ? 'name' : 'member', from, to);
    const columns = await columnsOf(db, table);
    const sql = `SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`;
    const rows = await db.query<Row>(sql, table === 'gslb_flip' ? [...range, flipId] : range);
    const isFirst = (row: Row) => Number.parseInt(String(row.member_id ?? row.id).slice(-12), 16) % membersOfPool === 0;
    all.push({ table, columns, updates, rows: by === 'member' ? rows.filter(isFirst) : rows });
  }
  return all;
}

interface BareRows {
  readonly rows: number;
  /** Returns the milliseconds that it took. */
  write(): Promise<number>;
  /** Restores the other site. */
  restore(): Promise<void>;
}

/** Rows written for `died` since `marks`, prepared for `other`. */
export async function bareRows(db: Database, died: Site, other: Site, marks: Marks): Promise<BareRows> {
  const before = await readRows(db, other, { ...marks, flipId: 'g' });
  const pools = other.from - died.from;
  const move = (row: Row): Row =>
    Object.fromEntries(
      Object.entries(row).map(([column, value]) => [column, typeof value === 'string' ? shifted(value, pools) : value]),
    );
  const renewed = (row: Row, column: string): Row => ({ ...move(row), [column]: newUuid() });
  const members = rangeOf('member', died.from, died.to);
  const names = rangeOf('name', died.from, died.to);
  const events = await appended(
    db,
    'status_change',
    ['id', 'cursor', 'seq'],
    'id > ? AND (subject_id BETWEEN ? AND ? OR subject_id BETWEEN ? AND ?)',
    [...[marks.eventId, ...members, ...names]],
  );
  const plans = await db.query<Row>(
    `SELECT p.* FROM gslb_plan p JOIN gslb g ON g.id = p.gslb_id AND g.generation = p.generation WHERE p.gslb_id BETWEEN ? AND ?`,
    names,
  );
  const changes = await db.query<Row>('SELECT * FROM gslb_zone_change WHERE gslb_id BETWEEN ? AND ?', names);
  const latest = [...new Map(changes.map((row) => [row.gslb_id, row])).values()];
  const written: Written[] = [
    ...(await readRows(db, died, marks)).map((each) => ({
      ...each,
      rows: each.rows.map((row) => (each.table === 'gslb_flip' ? renewed(row, 'id') : move(row))),
    })),
    { ...events, rows: events.rows.map((row) => renewed(row, 'event_id')) },
    { table: 'gslb_plan', updates: true, columns: Object.keys(plans[0] ?? {}), rows: plans.map(move) },
    {
      ...{ table: 'gslb_zone_change', updates: true, columns: Object.keys(latest[0] ?? {}) },
      rows: latest.map(move).map((row, at) => ({ ...row, generation: farAhead + at })),
    },
  ];
  const zones = [...new Set(written.at(-1)?.rows.map(({ zone }) => String(zone)))];
  return {
    rows: written.reduce((sum, { rows }) => sum + rows.length, 0),
    async write() {
      const fromMs = performance.now();
      await inParts(db, other.to - other.from, written, zones);
      return performance.now() - fromMs;
    },
    async restore() {
      await inParts(
        db,
        other.to - other.from,
        before.filter(({ updates }) => updates),
        [],
      );
      // The conductor will write these itself when they die.
      await db.execute(
        'DELETE p FROM gslb_plan p JOIN gslb g ON g.id = p.gslb_id AND p.generation > g.generation WHERE p.gslb_id BETWEEN ? AND ?',
        rangeOf('name', other.from, other.to),
      );
      await db.execute('DELETE FROM gslb_zone_change WHERE generation >= ?', [farAhead]);
    },
  };
}

async function appended(
  db: Database,
  table: string,
  without: readonly string[],
  where: string,
  values: readonly SqlValue[],
): Promise<Written> {
  const columns = (await columnsOf(db, table)).filter((column) => !without.includes(column));
  const rows = await db.query<Row>(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`, values);
  return { table, columns, updates: false, rows };
}

/** Transactions of this many members each, several at once. */
async function inParts(db: Database, members: number, written: readonly Written[], zones: readonly string[]) {
  const parts = Math.ceil(members / membersAtOnce);
  let next = 0;
  const work = async () => {
    while (next < parts) {
      const part = next;
      next += 1;
      await db.transaction(async (tx) => {
        for (const { table, columns, updates, rows } of written) {
          const share = Math.ceil(rows.length / parts);
          await write(tx, { table, columns, updates, rows: rows.slice(part * share, (part + 1) * share) });
        }
        for (const zone of zones) await tx.execute('UPDATE gslb_zone SET version = version + 1 WHERE name = ?', [zone]);
      });
    }
  };
  await Promise.all(Array.from({ length: writers }, work));
}

async function write(tx: Transaction, { table, columns, updates, rows }: Written): Promise<void> {
  if (rows.length === 0) return;
  const marks = `(${columns.map(() => '?').join(', ')})`;
  const update = updates
    ? `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`
    : '';
  await tx.execute(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => marks).join(', ')} ${update}`,
    rows.flatMap((row) => columns.map((column) => row[column] ?? null)),
  );
}

// Fills tables with rows by SQL, so that a list that reads too much of a table is detected. Most rows belong to one
// project.
import type { Database } from '../../../../platform/database/database.ts';

const rowsOfTable = 4_000;
/** Has three of four rows. */
export const bigProject = uuid(1);
/** Has the oldest rows, about sixty. */
export const oldProject = uuid(2);
/** Has the newest rows, a hundred. */
export const newProject = uuid(3);

/** Tables of the installation itself, with their few rows. */
const kept = [
  '_prisma_migrations',
  'status_sequencer',
  'audit_chain',
  'db_timeline',
  'db_lease',
  'lease',
  'active_key',
  'object_federation',
];

/** The UUID of the row with this number in every table. A child belongs to the parent with the same number. */
export function uuid(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Machines and processes of the installation, which are few. */
const few = ['object_cluster', 'object_controller', 'process_keys'];
const fewRows = 40;

const project = `CASE WHEN seq > ${rowsOfTable - 100} THEN '${newProject}' WHEN seq BETWEEN 2 AND 60 THEN '${oldProject}'
  WHEN seq MOD 4 > 0 THEN '${bigProject}' ELSE ${uuidSql('100 + seq MOD 20')} END`;

/** SQL of `seq` for columns whose type does not determine their values. */
const special: Readonly<Record<string, string>> = {
  'mapping.state': "'ACTIVE'",
  'operation.state': "'SUCCEEDED'",
  'operation.claim': 'NULL',
  'backend.operating_status': "'ONLINE'",
  'backend.provisioning_status': "'ACTIVE'",
  'status_change.seq': 'seq',
  'status_change.kind': "'relayOperation.state'",
  'status_change.subject_type': "'Backend'",
  'gslb_pool_use.fallback': '0',
  'lb_part.deleted': '0',
  'lb_part.kind': "IF(seq = 1, 'Pool', 'PoolMember')",
  'name_server_record.addresses': "'[]'",
  // Projects with many members, and one user in many projects.
  'membership.user_id': `IF(seq MOD 2 = 1, ${uuidSql('seq')}, '${uuid(1)}')`,
  'membership.project_id': `IF(seq MOD 2 = 1, ${project}, ${uuidSql('seq')})`,
  'gslb.zone': "IF(seq MOD 4 > 0, 'n1', CONCAT('n', seq))",
  'gslb_pool_use.gslb_id': uuidSql('seq'),
  'gslb_monitor_use.pool_id': uuidSql('seq'),
  'gslb_monitor_use.member_id': uuidSql('seq'),
  'lb_node.state': "'SERVING'",
};

interface Column {
  readonly table_: string;
  readonly column_: string;
  readonly type: string;
  readonly isNullable: string;
  readonly extra: string;
  readonly length: number | null;
}

export async function fillTables(db: Database): Promise<void> {
  const columns = await columnsOf(db);
  for (const [table, of] of Map.groupBy(columns, ({ table_ }) => table_)) {
    if (kept.includes(table)) continue;
    const into = insertInto(table, of);
    // Without the constraints of other tables, which may be filled later.
    await db.transaction(async (tx) => {
      await tx.query('SET SESSION foreign_key_checks = 0');
      await tx.execute(`INSERT IGNORE ${into} FROM seq_1_to_${few.includes(table) ? fewRows : rowsOfTable}`);
      await tx.query('SET SESSION foreign_key_checks = 1');
    });
  }
  await db.execute(`UPDATE status_sequencer SET next_seq = ${rowsOfTable + 1}, oldest_seq = 1`);
  const tables = [...new Set(columns.map(({ table_ }) => `\`${table_}\``))];
  await db.query(`ANALYZE TABLE ${tables.join(', ')}`);
}

/** `INTO table (columns) SELECT values`, without the source of `seq`. `values`: SQL of a column, by its name. */
export async function insertIntoTable(
  db: Database,
  table: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const columns = await columnsOf(db);
  return insertInto(
    table,
    columns.filter(({ table_ }) => table_ === table),
    values,
  );
}

function columnsOf(db: Database): Promise<readonly Column[]> {
  return db.query<Column>(
    `SELECT c.table_name AS table_, c.column_name AS column_, c.data_type AS type, c.is_nullable AS isNullable, c.extra AS extra,
            c.character_maximum_length AS length
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`,
  );
}

function insertInto(table: string, columns: readonly Column[], values: Readonly<Record<string, string>> = {}): string {
  const filled = columns.filter(({ extra }) => !/auto_increment|generated/i.test(extra));
  const names = filled.map(({ column_ }) => `\`${column_}\``).join(', ');
  return `INTO \`${table}\` (${names}) SELECT ${filled.map((each) => values[each.column_] ?? sqlOf(each)).join(', ')}`;
}

function sqlOf({ table_, column_, type, isNullable, length }: Column): string {
  const own = special[`${table_}.${column_}`];
  if (own !== undefined) return own;
  if (column_ === 'project_id' || column_ === 'scope_project_id') return project;
  if (/^cmp_|^namespace$/.test(column_)) return "'one'";
  const isShown = /^live_|^unique_key$|_id$/.test(column_);
  if (isNullable === 'YES' && !isShown) return 'NULL';
  switch (type) {
    case 'char':
      return length === 36
        ? column_ === 'id' || column_ === 'event_id'
          ? uuidSql('seq')
          : parent()
        : 'SHA2(seq, 256)';
    case 'varchar':
      return `LEFT(CONCAT('n', seq), ${length ?? 1})`;
    case 'longtext':
    case 'mediumtext':
    case 'text':
      return "'{}'";
    case 'datetime':
      return 'NOW(3)';
    case 'longblob':
    case 'mediumblob':
    case 'blob':
    case 'varbinary':
    case 'binary':
      return "''";
    case 'tinyint':
      return '1';
    default:
      return 'seq';
  }
}

/** Most rows have the same parent, which belongs to the big project. */
function parent(): string {
  return `IF(seq MOD 4 > 0, '${uuid(1)}', ${uuidSql('seq')})`;
}

/** `uuid` in SQL. */
export function uuidSql(number: string): string {
  return `CONCAT('01900000-0000-7000-8000-', LPAD(LOWER(HEX(${number})), 12, '0'))`;
}

// Fills one table at a time and sends each query to its list, as an administrator and as a member of one project. It counts sorted rows,
// and explains the statements of slow queries.
import { parse } from 'graphql';
import { type Connection, createConnection } from 'mariadb';
import { percentile, rounded } from '../../measure/statistics.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { ListContext, listCaller } from '../../tests/support/stores/lists/list-context.ts';
import { fillTables, insertIntoTable } from '../../tests/support/stores/lists/rows.ts';
import { type MeasuredList, measuredLists, memberProject } from './questions.ts';

interface MeasureOptions {
  readonly rows: number;
  readonly samples: number;
  /** Fields of Query. Default: all measured ones. */
  readonly fields?: readonly string[] | undefined;
  /** Queries with a larger p99 are explained. */
  readonly slowMs: number;
  /** After that, no further query is sent. */
  readonly timeIsUp: () => boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Explained {
  readonly statement: string;
  readonly ms: number;
  /** For each table: its key, the estimated rows, and how it is read. */
  readonly plan: readonly string[];
}

export interface QuestionFigures {
  readonly list: string;
  readonly order: string;
  readonly filter: string;
  readonly caller: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly samples: number;
  /** The figures of one page with its count. */
  readonly rowsRead: number;
  readonly rowsSorted: number;
  readonly nodes: number;
  readonly totalCount: number | null;
  readonly errors: readonly string[];
  /** Only slow queries, the slowest first. */
  readonly explained?: readonly Explained[];
}

const callers: readonly Identity[] = [
  listCaller('administrator', 'admin'),
  listCaller('member', { [memberProject]: 'OPERATOR' }),
];
const explainedAtMost = 3;

export async function measureLists(options: MeasureOptions): Promise<readonly QuestionFigures[]> {
  const { fields, signal } = options;
  await using stack = new AsyncDisposableStack();
  const ground = stack.adopt(await ListContext.open(), (each) => each.stop());
  const root = stack.adopt(await createConnection(ground.rootConnection), (each) => each.end());
  // A few rows of everything to which the lists refer.
  await fillTables(ground.db);
  const figures: QuestionFigures[] = [];
  for (const list of listsOf(fields)) {
    signal.throwIfAborted();
    if (options.timeIsUp()) break;
    const beganMs = performance.now();
    await fill(ground, root, list, options.rows);
    options.progress(`${list.field}: filled in ${rounded((performance.now() - beganMs) / 1000, 0)} s`);
    for (const question of questionsOf(list)) {
      signal.throwIfAborted();
      if (options.timeIsUp()) break;
      const measured = await measure(ground, root, question, options);
      figures.push(measured);
      options.progress(JSON.stringify({ ...measured, explained: undefined }));
    }
    await root.query(`TRUNCATE ${list.table}`);
  }
  return figures;
}

/** The number of queries for these lists. */
export function questionCount(fields?: readonly string[]): number {
  return listsOf(fields).reduce((sum, list) => sum + questionsOf(list).length, 0);
}

function listsOf(fields?: readonly string[]): readonly MeasuredList[] {
  return measuredLists.filter(({ field }) => fields?.includes(field) ?? true);
}

interface Question {
  readonly list: MeasuredList;
  readonly order: string;
  readonly filter: string;
  readonly caller: Identity;
}

function questionsOf(list: MeasuredList): readonly Question[] {
  return callers.flatMap((caller) =>
    list.orders.flatMap((order) => Object.keys(list.filters).map((filter) => ({ list, order, filter, caller }))),
  );
}

/** With an empty table and without checks, MariaDB builds the indexes by sorting. Values too large for a column are cut. */
async function fill(ground: ListContext, root: Connection, { table, values }: MeasuredList, rows: number) {
  const into = await insertIntoTable(ground.db, table, values);
  await root.query("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = ''");
  await root.query(`TRUNCATE ${table}`);
  await root.query(`INSERT ${into} FROM seq_1_to_${rows}`);
  await root.query(`UPDATE status_sequencer SET next_seq = ${rows + 1}, oldest_seq = 1`);
  await root.query(`ANALYZE TABLE ${table}`);
}

async function measure(
  ground: ListContext,
  root: Connection,
  question: Question,
  { samples, slowMs }: MeasureOptions,
): Promise<QuestionFigures> {
  const { list, order, filter, caller } = question;
  const { field } = list;
  const given = list.filters[filter];
  const document = parse(
    `{ ${field}(first: 100, orderBy: ${order}${given === '' ? '' : `, ${given}`}) { totalCount nodes { id } } }`,
  );
  const ask = () => ground.ask(list.subgraph, caller, document);
  return ground.as(caller, async () => {
    // The first answer is not measured, because pages of the table may still be on the disk.
    const answer = await ask();
    const [before, between] = [await ground.rowsRead(), await ground.rowsRead()];
    await ask();
    const after = await ground.rowsRead();
    const times: number[] = [];
    for (let at = 0; at < samples; at += 1) {
      const beganMs = performance.now();
      await ask();
      times.push(performance.now() - beganMs);
    }
    const page = answer.data?.[field] as { totalCount: number | null; nodes: unknown[] } | null | undefined;
    const p99Ms = rounded(percentile(times, 0.99), 1);
    return {
      ...{ list: field, order, filter, caller: caller.name },
      ...{ p50Ms: rounded(percentile(times, 0.5), 1), p99Ms, samples },
      rowsRead: after.read - between.read - (between.read - before.read),
      rowsSorted: after.sorted - between.sorted,
      ...{ nodes: page?.nodes.length ?? 0, totalCount: page?.totalCount ?? null },
      errors: (answer.errors ?? []).map(({ message }) => message),
      ...(p99Ms > slowMs && { explained: await explain(ground, root, ask) }),
    };
  });
}

/** The statements of the one connection for reads, from the server's own log. */
async function explain(ground: ListContext, root: Connection, ask: () => Promise<unknown>): Promise<Explained[]> {
  const [reader] = await ground.db.query<{ id: bigint }>('SELECT CONNECTION_ID() AS id');
  await root.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON");
  try {
    await ask();
  } finally {
    await root.query('SET GLOBAL general_log = OFF');
  }
  const logged = await root.query<{ text: Buffer | string }[]>(
    `SELECT argument AS text FROM mysql.general_log
      WHERE thread_id = ? AND command_type IN ('Query', 'Execute') ORDER BY event_time`,
    [reader?.id],
  );
  await root.query('TRUNCATE mysql.general_log');
  const explained: Explained[] = [];
  for (const text of new Set(logged.map((each) => String(each.text)).filter(isWhole))) {
    const beganMs = performance.now();
    await root.query(text);
    const ms = rounded(performance.now() - beganMs, 1);
    const plan = await root.query<Record<string, unknown>[]>(`EXPLAIN ${text}`);
    explained.push({
      ...{ statement: text.replaceAll(/\s+/g, ' '), ms },
      plan: plan.map((row) => `${row.table}: ${row.key} ${row.type}, ${row.rows} rows, ${row.Extra}`),
    });
  }
  return explained.sort((one, other) => other.ms - one.ms).slice(0, explainedAtMost);
}

/** A read with its values. Statements that were prepared before the log began have placeholders. */
function isWhole(text: string): boolean {
  return /^\W*(SELECT|WITH)\b/i.test(text) && !/[(,=<>] ?\?/.test(text);
}

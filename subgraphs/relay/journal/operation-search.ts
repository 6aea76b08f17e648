// The search for calls: pages, newest first, and counts by state. Each reads ranges of indexes, one for each project and state (or
// backend and state, or CMP object and project), in the order of acceptance by the database's clock; so calls of other projects
// are not read. What no index knows (name, text, …) is a condition on the calls of these ranges, of which a page or a count looks
// at a bounded number.
import { always, type Condition, type Database } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { CmpObjectKey } from '../../../platform/graph/cmp-object.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { type OperationState, operationStates } from '../model/states.ts';

/** Only calls that match all. */
export interface OperationFilter {
  readonly projects: 'all' | readonly string[];
  /** UUID. */
  readonly backendId?: string | undefined;
  readonly states?: readonly OperationState[] | undefined;
  readonly cmp?: CmpObjectKey | undefined;
  readonly name?: string | undefined;
  readonly text?: string | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** Where a call is in the order. */
export interface OperationPlace {
  readonly createdAt: Date;
  readonly id: string;
}

export interface FoundOperations {
  /** Newest first. */
  readonly places: readonly OperationPlace[];
  /** The search ended here because of its bound: there may be more. */
  readonly lookedTo: OperationPlace | undefined;
}

export interface OperationCount {
  readonly state: OperationState;
  readonly count: number;
  readonly complete: boolean;
}

/** A part of an index, in the order of acceptance. */
interface Range {
  readonly index: string;
  readonly condition: Condition;
  /** The states of its calls. */
  readonly states: readonly OperationState[];
}

interface Search {
  /** The ranges of one project are read by one statement: a call that changes its state meanwhile is in one of them. */
  readonly byProject: readonly (readonly Range[])[];
  /** What else must hold; undefined: nothing. */
  readonly rest: Condition | undefined;
}

const mostLookedAt = 10_000;
const leastOfRange = 100;
const projectsOfStatement = 14;
const maxTextLength = 200;
const maxWords = 8;
const newestFirst = 'created_at DESC, id DESC';

/** At most `limit` calls, older than `after`. Throws INVALID_INPUT. */
export async function searchOperations(
  db: Database,
  filter: OperationFilter,
  page: { readonly limit: number; readonly after: OperationPlace | undefined },
): Promise<FoundOperations> {
  const search = await searchOf(db, filter);
  const older = page.after === undefined ? undefined : olderThan(page.after);
  const [lookedTo] = search.rest === undefined ? [] : await readPlaces(db, search, [older], 1, mostOfRange(search) - 1);
  const newer = lookedTo === undefined ? undefined : notOlderThan(lookedTo);
  return { places: await readPlaces(db, search, [older, newer, search.rest], page.limit), lookedTo };
}

/** For each state. Throws INVALID_INPUT. */
export async function countOperations(db: Database, filter: OperationFilter): Promise<readonly OperationCount[]> {
  const search = await searchOf(db, filter);
  const most = mostOfRange(search);
  const counts = new Map<OperationState, number>();
  const incomplete = new Set<OperationState>();
  for (const ranges of statementsOf(search)) {
    const texts = ranges.map(
      ({ index, condition }, number) => `(SELECT ${number} AS number, state, COUNT(*) AS seen, SUM(hit) AS hits FROM (
        SELECT state, ${search.rest?.sql ?? '1'} AS hit FROM operation o FORCE INDEX (${index}) WHERE ${condition.sql}
        ORDER BY ${newestFirst} LIMIT ${most + 1}) newest GROUP BY state)`,
    );
    const rows = await db.query<{ number: number; state: OperationState; seen: number; hits: number }>(
      texts.join(' UNION ALL '),
      ranges.flatMap(({ condition }) => [...(search.rest?.values ?? []), ...condition.values]),
    );
    const seen = new Map<number, number>();
    for (const row of rows) {
      counts.set(row.state, (counts.get(row.state) ?? 0) + row.hits);
      seen.set(row.number, (seen.get(row.number) ?? 0) + row.seen);
    }
    for (const [number, { states }] of ranges.entries())
      if ((seen.get(number) ?? 0) > most) for (const state of states) incomplete.add(state);
  }
  return operationStates.map((state) => ({ state, count: counts.get(state) ?? 0, complete: !incomplete.has(state) }));
}

/** The first `limit` calls, all ranges together; of each range those after the first `skip`. */
async function readPlaces(
  db: Database,
  search: Search,
  conditions: readonly (Condition | undefined)[],
  limit: number,
  skip = 0,
): Promise<OperationPlace[]> {
  const all: OperationPlace[] = [];
  for (const ranges of statementsOf(search)) {
    const wheres = ranges.map(({ condition }) => allOf([condition, ...conditions]) ?? always);
    const texts = ranges.map(
      ({ index }, number) => `(SELECT created_at AS createdAt, id FROM operation o FORCE INDEX (${index})
        WHERE ${wheres[number]?.sql} ORDER BY ${newestFirst} LIMIT ${limit} OFFSET ${skip})`,
    );
    const sql = `${texts.join(' UNION ALL ')} ORDER BY createdAt DESC, id DESC LIMIT ${limit}`;
    all.push(
      ...(await db.query<OperationPlace>(
        sql,
        wheres.flatMap(({ values }) => values),
      )),
    );
  }
  const byAge = (a: OperationPlace, b: OperationPlace) =>
    b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
  return all.sort(byAge).slice(0, limit);
}

function statementsOf({ byProject }: Search): readonly (readonly Range[])[] {
  const count = Math.ceil(byProject.length / projectsOfStatement);
  return Array.from({ length: count }, (_, number) =>
    byProject.slice(number * projectsOfStatement, (number + 1) * projectsOfStatement).flat(),
  ).filter((ranges) => ranges.length > 0);
}

function mostOfRange({ byProject }: Search): number {
  return Math.max(leastOfRange, Math.ceil(mostLookedAt / Math.max(1, byProject.length)));
}

async function searchOf(db: Database, filter: OperationFilter): Promise<Search> {
  const { projects, backendId, cmp, name, createdFrom, createdBefore } = filter;
  const states = [...new Set(filter.states ?? operationStates)];
  const words = wordsOf(filter.text);
  const made = allOf([
    createdFrom && { sql: 'o.created_at >= ?', values: [createdFrom] },
    createdBefore && { sql: 'o.created_at < ?', values: [createdBefore] },
  ]);
  const inProject = projects === 'all' ? undefined : isOneOf('o.project_id', projects);
  const inStates = filter.states && isOneOf('o.state', states);
  const onBackend = is('o.backend_id', backendId);
  const ofCmp = allOf([
    is('o.cmp_namespace', cmp?.namespace),
    is('o.cmp_type', cmp?.type),
    is('o.cmp_id', cmp?.externalId),
  ]);
  const search = (byProject: readonly (readonly Range[])[], ...rest: readonly (Condition | undefined)[]): Search => ({
    byProject,
    rest: allOf([is('o.name', name), ...words.map(contains), ...rest]),
  });
  const range = (
    index: string,
    of: readonly OperationState[],
    ...place: readonly (Condition | undefined)[]
  ): Range => ({
    index,
    condition: allOf([...place, made]) ?? always,
    states: of,
  });
  const byState = (index: string, place?: Condition): readonly Range[] =>
    states.map((state) => range(index, [state], place, is('o.state', state)));

  const id = words.map(idIn).find((uuid) => uuid !== undefined);
  if (id !== undefined)
    return search([[range('PRIMARY', operationStates, is('o.id', id))]], inProject, inStates, onBackend, ofCmp);
  if (ofCmp !== undefined) {
    const among = projects === 'all' ? await projectsWith(db, ofCmp) : projects;
    const inIndex = (project: string) => [
      range('operation_cmp_idx', operationStates, ofCmp, is('o.project_id', project)),
    ];
    return search(among.map(inIndex), inStates, onBackend);
  }
  if (onBackend !== undefined) {
    const isVisible = projects === 'all' || projects.includes(await projectOf(db, backendId ?? ''));
    return search(isVisible ? [byState('operation_backend_state_idx', onBackend)] : []);
  }
  if (projects === 'all') return search([byState('operation_state_idx')]);
  return search(projects.map((project) => byState('operation_project_state_idx', is('o.project_id', project))));
}

/** The projects with calls for a CMP object: one step in the index for each. DISTINCT would read all of these calls. */
async function projectsWith(db: Database, { sql, values }: Condition): Promise<readonly string[]> {
  const projects: string[] = [];
  for (;;) {
    const [next] = await db.query<{ id: string }>(
      `SELECT o.project_id AS id FROM operation o FORCE INDEX (operation_cmp_idx) WHERE ${sql} AND o.project_id > ?
        ORDER BY o.project_id LIMIT 1`,
      [...values, projects.at(-1) ?? ''],
    );
    if (next === undefined) return projects;
    projects.push(next.id);
  }
}

async function projectOf(db: Database, backendId: string): Promise<string> {
  const [row] = await db.query<{ id: string }>('SELECT project_id AS id FROM backend WHERE id = ?', [backendId]);
  return row?.id ?? '';
}

function wordsOf(text: string | undefined): readonly string[] {
  const words = (text ?? '').split(/\s+/u).filter((word) => word !== '');
  if (text !== undefined && text.length > maxTextLength)
    throw new CodedError('INVALID_INPUT', `text: its length is ${text.length}; at most ${maxTextLength} are allowed.`);
  if (words.length > maxWords)
    throw new CodedError('INVALID_INPUT', `text: it has ${words.length} words; at most ${maxWords} are allowed.`);
  return words;
}

function idIn(word: string): string | undefined {
  return decodeUuid('RelayOperation', word);
}

/** As the graph shows the columns. The dashboard searches the same fields in what arrives by itself. */
function contains(word: string): Condition {
  const shown = `CONCAT_WS('\n', o.name, o.state, CONCAT(o.cmp_namespace, ':', o.cmp_type, '/', o.cmp_id),
    (SELECT b.name FROM backend b WHERE b.id = o.backend_id), o.error_code, o.error_message, o.requested_by, o.request_id)`;
  return { sql: `(o.id = ? OR LOCATE(LOWER(?), LOWER(${shown})) > 0)`, values: [idIn(word) ?? '', word] };
}

function olderThan({ createdAt, id }: OperationPlace): Condition {
  return { sql: 'o.created_at <= ? AND (o.created_at < ? OR o.id < ?)', values: [createdAt, createdAt, id] };
}

function notOlderThan({ createdAt, id }: OperationPlace): Condition {
  return { sql: 'o.created_at >= ? AND (o.created_at > ? OR o.id >= ?)', values: [createdAt, createdAt, id] };
}

function is(column: string, value: string | undefined): Condition | undefined {
  return value === undefined ? undefined : { sql: `${column} = ?`, values: [value] };
}

function isOneOf(column: string, values: readonly string[]): Condition {
  return values.length === 0 ? { sql: '1 = 0', values: [] } : { sql: `${column} IN (${marksFor(values)})`, values };
}

/** Undefined when none is given. */
function allOf(conditions: readonly (Condition | undefined)[]): Condition | undefined {
  const given = conditions.filter((condition) => condition !== undefined);
  if (given.length === 0) return undefined;
  return { sql: given.map(({ sql }) => sql).join(' AND '), values: given.flatMap(({ values }) => values) };
}

// The search for calls: pages in order of time, and counts, all together or by state. Each reads ranges of indexes, in the order of acceptance by the
// database's clock. There is one range for each project and state (or backend and state, or CMP object and project), so calls of
// other projects are not read. Conditions without an index (names, text, …) are checked on the calls of these ranges. A page or a
// count checks a bounded number of calls.
import { always, type Condition, type Database } from '../../../../platform/database/database.ts';
import {
  countRanges,
  type IndexRange,
  valuesInRange,
  valuesInRanges,
} from '../../../../platform/database/range-search.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import { refuseManyNames } from '../../../../platform/pages/entity-list.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { type OperationState, operationStates } from '../../rules/states.ts';

/** Only calls that match all. */
export interface OperationFilter {
  readonly projects: 'all' | readonly string[];
  /** UUID. */
  readonly backendId?: string | undefined;
  readonly states?: readonly OperationState[] | undefined;
  readonly cmp?: CmpObjectKey | undefined;
  readonly names?: readonly string[] | undefined;
  readonly text?: string | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** Where a call is in the order. */
export interface OperationPlace {
  readonly createdAt: Date;
  readonly id: string;
}

interface FoundOperations {
  /** In order. */
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
interface Range extends IndexRange {
  /** The states of its calls. */
  readonly states: readonly OperationState[];
}

interface Search {
  /** The ranges of one project are read by one statement, so a call that changes its state at that time is in exactly one of them. */
  readonly byProject: readonly (readonly Range[])[];
  /** A further condition. Undefined if there is none. */
  readonly rest: Condition | undefined;
}

const backendIndex = 'operation_backend_state_idx';
const cmpIndex = 'operation_cmp_idx';
const mostLookedAt = 10_000;
const leastOfRange = 100;
const projectsOfStatement = 14;
const maxTextLength = 200;
const maxWords = 8;
const inOrder = {
  NEWEST: 'created_at DESC, id DESC',
  OLDEST: 'created_at, id',
} as const;

type OperationOrder = keyof typeof inOrder;

/** At most `limit` calls beyond `after`. Throws INVALID_INPUT. */
export async function searchOperations(
  db: Database,
  filter: OperationFilter,
  page: { readonly order: OperationOrder; readonly limit: number; readonly after: OperationPlace | undefined },
): Promise<FoundOperations> {
  const { order, limit } = page;
  const search = await searchOf(db, filter);
  const from = page.after === undefined ? undefined : beyond(order, page.after);
  const [lookedTo] =
    search.rest === undefined ? [] : await readPlaces(db, search, order, [from], 1, mostOfRange(search) - 1);
  const until = lookedTo === undefined ? undefined : notBeyond(order, lookedTo);
  return { places: await readPlaces(db, search, order, [from, until, search.rest], limit), lookedTo };
}

/** Calls to a backend, newest or oldest first. */
export function rangesOfBackend(backendId: string, states: readonly OperationState[]): readonly Range[] {
  return states.map((state) => ({
    index: backendIndex,
    condition: allOf([is('o.backend_id', backendId), is('o.state', state)]) ?? always,
    states: [state],
  }));
}

/** Calls for each CMP object in these projects, by its key. */
export async function rangesOfCmpObjects(
  db: Database,
  objects: readonly (readonly [string, CmpObjectKey])[],
  projects: 'all' | readonly string[],
): Promise<ReadonlyMap<string, readonly Range[]>> {
  const conditions = objects.map(([, cmp]) => ofCmpObject(cmp));
  const ranges = conditions.map((condition) => ({ index: cmpIndex, condition }));
  const among =
    projects === 'all' ? await valuesInRanges(db, 'operation o', 'o.project_id', ranges) : objects.map(() => projects);
  return new Map(
    objects.map(([key], number) => [
      key,
      (among[number] ?? []).map((project) => ({
        index: cmpIndex,
        condition: allOf([conditions[number], is('o.project_id', project)]) ?? always,
        states: operationStates,
      })),
    ]),
  );
}

function ofCmpObject({ namespace, type, externalId }: CmpObjectKey): Condition {
  const columns = [is('o.cmp_namespace', namespace), is('o.cmp_type', type), is('o.cmp_id', externalId)];
  return allOf(columns) ?? always;
}

/** All that match. Null if more than 10,000 calls would have to be looked at. Throws INVALID_INPUT. */
export async function countAllOperations(db: Database, filter: OperationFilter): Promise<number | null> {
  const { byProject, rest } = await searchOf(db, filter);
  return countRanges(db, { table: 'operation o', ranges: byProject.flat(), rest });
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
        ORDER BY ${inOrder.NEWEST} LIMIT ${most + 1}) newest GROUP BY state)`,
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

/** The first `limit` calls of all ranges together. In each range, the first `skip` calls are left out. */
async function readPlaces(
  db: Database,
  search: Search,
  order: OperationOrder,
  conditions: readonly (Condition | undefined)[],
  limit: number,
  skip = 0,
): Promise<OperationPlace[]> {
  const all: OperationPlace[] = [];
  for (const ranges of statementsOf(search)) {
    const wheres = ranges.map(({ condition }) => allOf([condition, ...conditions]) ?? always);
    const texts = ranges.map(
      ({ index }, number) => `(SELECT created_at AS createdAt, id FROM operation o FORCE INDEX (${index})
        WHERE ${wheres[number]?.sql} ORDER BY ${inOrder[order]} LIMIT ${limit} OFFSET ${skip})`,
    );
    const sql = `${texts.join(' UNION ALL ')} ORDER BY ${order === 'NEWEST' ? 'createdAt DESC, id DESC' : 'createdAt, id'} LIMIT ${limit}`;
    all.push(
      ...(await db.query<OperationPlace>(
        sql,
        wheres.flatMap(({ values }) => values),
      )),
    );
  }
  const byAge = (a: OperationPlace, b: OperationPlace) =>
    b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
  const sorted = all.sort(byAge);
  return (order === 'NEWEST' ? sorted : sorted.reverse()).slice(0, limit);
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
  const { projects, backendId, cmp, names, createdFrom, createdBefore } = filter;
  if (names !== undefined) refuseManyNames(names);
  const states = [...new Set(filter.states ?? operationStates)];
  const words = wordsOf(filter.text);
  const made = allOf([
    createdFrom && { sql: 'o.created_at >= ?', values: [createdFrom] },
    createdBefore && { sql: 'o.created_at < ?', values: [createdBefore] },
  ]);
  const inProject = projects === 'all' ? undefined : isOneOf('o.project_id', projects);
  const inStates = filter.states && isOneOf('o.state', states);
  const onBackend = is('o.backend_id', backendId);
  const ofCmp = cmp === undefined ? undefined : ofCmpObject(cmp);
  const search = (byProject: readonly (readonly Range[])[], ...rest: readonly (Condition | undefined)[]): Search => ({
    byProject,
    rest: allOf([names && isOneOf('o.name', names), ...words.map(contains), ...rest]),
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
    const among =
      projects === 'all'
        ? await valuesInRange(db, 'operation o', 'o.project_id', { index: cmpIndex, condition: ofCmp })
        : projects;
    const inIndex = (project: string) => [range(cmpIndex, operationStates, ofCmp, is('o.project_id', project))];
    return search(among.map(inIndex), inStates, onBackend);
  }
  if (onBackend !== undefined) {
    const isVisible = projects === 'all' || projects.includes(await projectOf(db, backendId ?? ''));
    return search(isVisible ? [byState(backendIndex, onBackend)] : []);
  }
  if (projects === 'all') return search([byState('operation_state_idx')]);
  return search(projects.map((project) => byState('operation_project_state_idx', is('o.project_id', project))));
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

/** Searches the columns as the graph shows them. The dashboard searches the same fields in the calls that its subscription delivers. */
function contains(word: string): Condition {
  const shown = `CONCAT_WS('\n', o.name, o.state, CONCAT(o.cmp_namespace, ':', o.cmp_type, '/', o.cmp_id),
    (SELECT b.name FROM backend b WHERE b.id = o.backend_id), o.error_code, o.error_message, o.requested_by, o.request_id)`;
  return { sql: `(o.id = ? OR LOCATE(LOWER(?), LOWER(${shown})) > 0)`, values: [idIn(word) ?? '', word] };
}

function beyond(order: OperationOrder, { createdAt, id }: OperationPlace): Condition {
  const sign = order === 'NEWEST' ? '<' : '>';
  const sql = `o.created_at ${sign}= ? AND (o.created_at ${sign} ? OR o.id ${sign} ?)`;
  return { sql, values: [createdAt, createdAt, id] };
}

function notBeyond(order: OperationOrder, { createdAt, id }: OperationPlace): Condition {
  const sign = order === 'NEWEST' ? '>' : '<';
  const sql = `o.created_at ${sign}= ? AND (o.created_at ${sign} ? OR o.id ${sign}= ?)`;
  return { sql, values: [createdAt, createdAt, id] };
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

// Reads the history of objects' settings. The edge of mutations writes it (platform/edge/configuration-versions.ts).

import type { Identity } from '../caller/identity.ts';
import { always, type Condition, type Sql } from '../database/database.ts';
import { allOf, is } from '../database/range-search.ts';
import { marksFor } from '../database/sql.ts';
import type { Page, PageArguments } from '../pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../pages/entity-list.ts';
import type { JsonObject } from '../values/json.ts';

export interface ConfigurationVersionRow {
  /** UUID. */
  readonly id: string;
  /** The subject's type in the graph. */
  readonly subject: string;
  /** UUID. */
  readonly subjectId: string;
  readonly number: number;
  /** UUID of the object whose history shows it. */
  readonly rootId: string;
  /** UUID. Null if the subject belongs to the installation. */
  readonly projectId: string | null;
  readonly name: string;
  /** The subject's version after the change, for `expectedVersion`. */
  readonly subjectVersion: number;
  /** Null if the change deleted the subject. */
  readonly settings: JsonObject | null;
  readonly secretsSet: readonly string[];
  /** Null for settings that were found before the first recorded change. */
  readonly mutation: string | null;
  readonly actorKind: Identity['kind'] | 'anonymous';
  readonly actorId: string | null;
  readonly actorName: string;
  readonly requestId: string | null;
  readonly at: Date;
}

type Raw = Omit<ConfigurationVersionRow, 'settings' | 'secretsSet'> & {
  readonly settings: string | null;
  readonly secretsSet: string;
};

const columns = `id, subject_type AS subject, subject_id AS subjectId, number, root_id AS rootId, project_id AS projectId, name,
  object_version AS subjectVersion, settings, secrets_set AS secretsSet, mutation, actor_kind AS actorKind, actor_id AS actorId,
  actor_name AS actorName, request_id AS requestId, at`;

const versions = { table: 'configuration_version', shown: always } as const;
const ofAll: ListTable = {
  ...{ ...versions, name: 'name' },
  all: { time: 'PRIMARY' },
  ofProject: { time: 'configuration_version_project_idx' },
};
const ofRoot: ListTable = { ...versions, all: { time: 'configuration_version_root_idx' } };
const ofSubject: ListTable = { ...versions, all: { time: 'configuration_version_time_idx' } };

interface HistoryFilter extends PageArguments {
  readonly orderBy: ListFilter['orderBy'];
  /** Only versions of changes before this time. */
  readonly changedBefore?: Date | null | undefined;
  /** Further conditions, checked on a bounded number of rows for each page. */
  readonly only?: Condition | undefined;
}

/** Deletions, without those of parts that were deleted with their whole. `deletedBy`: the mutation that deletes objects of a type. */
export function deletions(deletedBy: ReadonlyMap<string, string>): Condition {
  const pairs = [...deletedBy];
  const mutations = [...new Set(deletedBy.values())];
  return {
    sql: `settings IS NULL AND (mutation NOT IN (${marksFor(mutations)})
      OR (subject_type, mutation) IN (${pairs.map(() => '(?, ?)').join()}))`,
    values: [...mutations, ...pairs.flat()],
  };
}

/** The versions of an object (its type, its UUID) and of its parts. Whether the caller may see them is checked by the caller. */
export async function versionPage(
  sql: Sql,
  { type, key }: { readonly type: string; readonly key: string },
  { changedBefore, only, ...filter }: HistoryFilter,
): Promise<Page<ConfigurationVersionRow>> {
  const [part] = await sql.query<{ rootId: string }>(
    'SELECT root_id AS rootId FROM configuration_version WHERE subject_id = ? AND subject_type = ? LIMIT 1',
    [key, type],
  );
  const isRoot = part === undefined || part.rootId === key;
  const within = isRoot ? is('root_id', key) : is('subject_id', key);
  const rest = allOf([
    changedBefore == null ? undefined : { sql: 'at < ?', values: [changedBefore] },
    only,
    isRoot ? undefined : { sql: 'subject_type = ?', values: [type] },
  ]);
  const list = isRoot ? ofRoot : ofSubject;
  return pageOfList(sql, list, { ...filter, projects: 'all', within, rest }, (ids) => versionsById(sql, ids));
}

/** The versions of all objects in these projects. `name`: only of objects that had this name. `visible`: which of them the caller may see. */
export function versionsIn(
  sql: Sql,
  projects: ListFilter['projects'],
  {
    changedBefore,
    only,
    name,
    visible,
    ...filter
  }: HistoryFilter & { readonly name?: string | null; readonly visible: Condition | undefined },
): Promise<Page<ConfigurationVersionRow>> {
  const rest = allOf([
    changedBefore == null ? undefined : { sql: 'at < ?', values: [changedBefore] },
    only,
    name == null ? undefined : is('name', name),
    visible,
  ]);
  return pageOfList(sql, ofAll, { ...filter, projects, rest }, (ids) => versionsById(sql, ids));
}

/** By UUID. */
export async function versionsById(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ConfigurationVersionRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM configuration_version WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** A change as the audit trail has it. */
export interface RecordedChange {
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  readonly requestId: string;
  readonly action: string;
  readonly at: Date;
}

/** The version that a recorded change made. A request that changed an object several times made several: the nearest in time. */
export async function versionsOfChanges(
  sql: Sql,
  changes: ReadonlyMap<string, RecordedChange>,
): Promise<ReadonlyMap<string, ConfigurationVersionRow>> {
  const named = [...changes.values()];
  if (named.length === 0) return new Map();
  const one = '(subject_id = ? AND subject_type = ? AND request_id = ? AND mutation = ?)';
  const raw = await sql.query<Raw>(
    `SELECT ${columns} FROM configuration_version WHERE ${named.map(() => one).join(' OR ')}`,
    named.flatMap(({ subjectId, subjectType, requestId, action }) => [subjectId, subjectType, requestId, action]),
  );
  const made = raw.map(toRow);
  return new Map(
    [...changes].flatMap(([key, { subjectType, subjectId, requestId, action, at }]) => {
      const awayMs = (row: ConfigurationVersionRow) => Math.abs(row.at.getTime() - at.getTime());
      const [nearest] = made
        .filter((row) => row.subject === subjectType && row.subjectId === subjectId)
        .filter((row) => row.requestId === requestId && row.mutation === action)
        .toSorted((one, other) => awayMs(one) - awayMs(other));
      return nearest === undefined ? [] : [[key, nearest] as const];
    }),
  );
}

/** The newest version before this one. Undefined if it is the first that is kept. */
export async function versionBefore(
  sql: Sql,
  { subject, subjectId, number }: Pick<ConfigurationVersionRow, 'subject' | 'subjectId' | 'number'>,
): Promise<ConfigurationVersionRow | undefined> {
  const [raw] = await sql.query<Raw>(
    `SELECT ${columns} FROM configuration_version WHERE subject_id = ? AND subject_type = ? AND number < ? ORDER BY number DESC LIMIT 1`,
    [subjectId, subject, number],
  );
  return raw && toRow(raw);
}

/** The newest version of an object. Undefined if it has none. */
export async function latestVersion(
  sql: Sql,
  { subject, subjectId }: Pick<ConfigurationVersionRow, 'subject' | 'subjectId'>,
): Promise<ConfigurationVersionRow | undefined> {
  return versionBefore(sql, { subject, subjectId, number: Number.MAX_SAFE_INTEGER });
}

/** What an object's parts were at a version of the object, or before its deletion: the newest version of each, without deleted ones. */
export async function partsAt(
  sql: Sql,
  { subjectId, id, settings, requestId }: Pick<ConfigurationVersionRow, 'subjectId' | 'id' | 'settings' | 'requestId'>,
): Promise<readonly ConfigurationVersionRow[]> {
  // Parts that the same request made are recorded after the object.
  const isEnd = settings === null || requestId === null;
  const rows = await sql.query<Raw>(
    `SELECT ${columns} FROM (
      SELECT v.*, ROW_NUMBER() OVER (PARTITION BY subject_id, subject_type ORDER BY number DESC) AS place
      FROM configuration_version v WHERE root_id = ? AND (subject_id <> root_id OR subject_type = 'AutoscalingPolicy')
        AND (id < ? OR ${isEnd ? '1 = 0' : 'request_id = ?'})
    ) AS newest WHERE place = 1 AND settings IS NOT NULL ORDER BY id`,
    [subjectId, id, ...(isEnd ? [] : [requestId])],
  );
  return rows.map(toRow);
}

function toRow(raw: Raw): ConfigurationVersionRow {
  return {
    ...raw,
    settings: raw.settings === null ? null : (JSON.parse(raw.settings) as JsonObject),
    secretsSet: raw.secretsSet === '' ? [] : raw.secretsSet.split(','),
  };
}

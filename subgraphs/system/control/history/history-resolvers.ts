// Resolvers of the history of objects' settings.

import type { Resolvers } from '../../../../generated/graph/system.ts';
import { restores } from '../../../../generated/kinds/restores.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Condition, Database } from '../../../../platform/database/database.ts';
import { anyOf, isOneOf } from '../../../../platform/database/range-search.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { actorOf } from '../../../../platform/graph/actor.ts';
import {
  type ConfigurationVersionRow,
  deletions,
  latestVersion,
  partsAt,
  versionBefore,
  versionPage,
  versionsById,
  versionsIn,
} from '../../../../platform/graph/configuration-history.ts';
import { caller, operatedProjects, projectsFor } from '../../../../platform/input/authorise.ts';
import { decodeId, decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from '../nodes/node.ts';
import { mayReadVersion } from './may-read.ts';
import { changesBetween, type FieldChange, type Restore, restoreTo, treeOf, undoOf } from './restore.ts';

type Row = ConfigurationVersionRow;

const longestName = 255;
const ofDeletions = deletions(
  new Map(
    Object.entries(restores).flatMap(([type, how]) => (how.delete === undefined ? [] : [[type, how.delete.mutation]])),
  ),
);

export function historyResolvers({ db, entities }: { readonly db: Database; readonly entities: Entities }): Resolvers {
  const visible = async (id: string, { identity }: RequestContext): Promise<Row | undefined> => {
    const uuid = decodeUuid('ConfigurationVersion', id);
    const row = uuid === undefined ? undefined : (await versionsById(db, [uuid])).get(uuid);
    return row !== undefined && mayReadVersion(identity, row) ? row : undefined;
  };
  return {
    Query: {
      async configurationVersions(
        _,
        { subjectId, projectId, subjectName: name = null, onlyDeletions, ...page },
        context,
      ) {
        const identity = caller(context);
        const args = { ...page, only: onlyDeletions === true ? ofDeletions : undefined };
        if (subjectId == null) {
          if (name !== null && name.length > longestName)
            throw new CodedError(
              'INVALID_INPUT',
              `subjectName: it is too long; give at most ${longestName} characters.`,
            );
          return versionsIn(db, projectsFor(identity, projectId), { ...args, name, visible: channelsOf(identity) });
        }
        if (projectId != null || name !== null)
          throw new CodedError('INVALID_INPUT', 'subjectId: give it alone, or projectId and subjectName.');
        const named = decodeId(subjectId) ?? { type: '', key: '' };
        const latest = await latestVersion(db, { subject: named.type, subjectId: named.key });
        const isShown = latest !== undefined && mayReadVersion(identity, latest);
        return versionPage(db, isShown ? named : { type: '', key: '' }, args);
      },
      async configurationVersion(_, { id }, context) {
        caller(context);
        return (await visible(id, context)) ?? null;
      },
    },
    ConfigurationVersion: {
      id: ({ id }) => encodeId('ConfigurationVersion', id),
      subjectId: ({ subject, subjectId }) => encodeId(subject, subjectId),
      subjectType: ({ subject }) => subject,
      subjectName: ({ name }) => name,
      subjectVersion: ({ subjectVersion }) => (subjectVersion === 0 ? null : subjectVersion),
      subject: ({ subject, subjectId }, _, context) => nodeByKey(entities, context, subject, subjectId),
      project: async ({ projectId }, _, context) =>
        projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
      changedAt: ({ at }) => at,
      actor: ({ mutation, actorKind: kind, actorId, actorName: name }) =>
        mutation === null || kind === 'anonymous' ? null : actorOf({ kind, id: actorId, name }),
      deleted: ({ settings }) => settings === null,
      secretFieldsSet: ({ secretsSet }) => [...secretsSet],
      async changes(row, { sinceId }, context) {
        if (sinceId == null)
          return shown(changesBetween((await versionBefore(db, row))?.settings ?? null, row.settings));
        const since = await visible(sinceId, context);
        if (since === undefined || since.subjectId !== row.subjectId || since.subject !== row.subject)
          throw new CodedError('INVALID_INPUT', `sinceId: ${sinceId.slice(0, 80)} is no version of the same object.`);
        return shown(changesBetween(since.settings, row.settings));
      },
      previous: async (row) => (await versionBefore(db, row)) ?? null,
      async restore(row) {
        const latest = (await latestVersion(db, row)) ?? row;
        const tree = latest.settings === null && row.settings !== null ? await treeAt(db, row, latest) : {};
        return restoreOf(restoreTo(row, latest, restores[row.subject], tree));
      },
      async undo(row) {
        const [previous, latest] = [await versionBefore(db, row), (await latestVersion(db, row)) ?? row];
        const tree = row.settings === null ? await treeAt(db, row, row) : {};
        return restoreOf(undoOf(row, previous, latest, restores[row.subject], tree));
      },
    },
  };
}

/** What its parts were when the object had these settings: before its next change if that was its deletion, else at this version. */
async function treeAt(db: Database, row: Row, latest: Row) {
  if (row.subject !== 'LoadBalancer') return {};
  const before = row.settings === null || latest.number === row.number + 1 ? latest : row;
  return treeOf(encodeId(row.subject, row.subjectId), await partsAt(db, before));
}

/** Versions of channels are the operators'. */
function channelsOf(identity: Identity): Condition | undefined {
  const operated = operatedProjects(identity);
  if (operated === 'all') return undefined;
  const own = isOneOf('project_id', operated);
  return anyOf([{ sql: "subject_type <> 'AlertChannel'", values: [] }, ...(own === undefined ? [] : [own])]);
}

function shown(changes: readonly FieldChange[]) {
  return changes.map(({ field, before, after }) => ({ field, before, after }));
}

function restoreOf(restore: Restore) {
  if ('refusal' in restore) return { mutation: null, input: null, missingFields: [], refusal: restore.refusal };
  const { mutation, input, missing } = restore;
  return { mutation, input, missingFields: [...missing], refusal: null };
}

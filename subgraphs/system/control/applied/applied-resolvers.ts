// Resolvers of objects that sources of files created.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { appliedObjectPage } from '../../../../platform/graph/applied-objects.ts';
import { caller, projectsFor } from '../../../../platform/input/authorise.ts';
import { refuseManyNames } from '../../../../platform/pages/entity-list.ts';
import { decodeId, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';

const mostSubjects = 100;

export function appliedResolvers({ db, entities }: { readonly db: Database; readonly entities: Entities }): Resolvers {
  return {
    Query: {
      appliedObjects(_, { sources, subjectIds, ...args }, context) {
        const projects = projectsFor(caller(context), args.projectId);
        if (sources != null) refuseManyNames(sources);
        const ids = subjectIds?.flatMap((id) => decodeId(id)?.key ?? []);
        if (ids !== undefined && ids.length > mostSubjects)
          throw new CodedError(
            'INVALID_INPUT',
            `subjectIds: ${ids.length} are too many; give at most ${mostSubjects}.`,
          );
        return appliedObjectPage(db, { ...args, projects, sources, ids });
      },
    },
    SystemAppliedObject: {
      subjectId: ({ subjectType, id }) => encodeId(subjectType, id),
      project: async ({ projectId }, _, context) =>
        projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
    },
  };
}

// Resolvers of projects and memberships.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { caller } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { visibleProjects } from '../../../platform/identity.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { Entities } from '../entities.ts';
import type { ProjectService } from './project-service.ts';
import type { ProjectStore } from './project-store.ts';

export function projectResolvers(options: {
  entities: Entities;
  projects: ProjectStore;
  service: ProjectService;
}): Resolvers {
  const { entities, projects, service } = options;
  return {
    Query: {
      async project(_, { id }, context) {
        caller(context);
        const uuid = decodeUuid('Project', id);
        return uuid === undefined ? null : ((await entities.project(context, uuid)) ?? null);
      },
      async projects(_, args, context) {
        const visible = visibleProjects(caller(context));
        const request = pageRequest(args);
        return page(await projects.page(visible, request), request.first, (project) => [project.name]);
      },
    },
    Mutation: {
      projectCreate: (_, { input }, context) => payload('project', service.create(context, input)),
      projectUpdate: (_, { input }, context) => payload('project', service.update(context, input)),
      projectDelete: (_, { input }, context) => payload('projectId', service.delete(context, input)),
      membershipSet: (_, { input }, context) => payload('membership', service.setMembership(context, input)),
    },
    Project: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('Project', id);
        return uuid === undefined ? null : ((await entities.project(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('Project', id),
      async members({ id }, args) {
        const request = pageRequest(args);
        return page(await projects.members(id, request), request.first, (membership) => [membership.userId]);
      },
    },
    Membership: {
      async user({ userId }, _, context) {
        const user = await entities.user(context, userId);
        // The membership, or the caller's own, has ended since it was read.
        if (user === undefined) throw new CodedError('UNAVAILABLE', 'The membership has just ended: read it again.');
        return user;
      },
    },
  };
}

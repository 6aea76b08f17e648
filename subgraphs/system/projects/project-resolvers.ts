// Resolvers of projects and memberships.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { CodedError } from '../../../platform/errors.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { visibleProjects } from '../../../platform/identity.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { caller } from '../access/authorise.ts';
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
      async projectCreate(_, { input }, context) {
        const { result, userErrors, commit } = await service.create(context, input);
        return { project: result && ((await entities.project(context, result.id)) ?? null), userErrors, commit };
      },
      async projectUpdate(_, { input }, context) {
        const { result, userErrors, commit } = await service.update(context, input);
        return { project: result && ((await entities.project(context, result.id)) ?? null), userErrors, commit };
      },
      async membershipSet(_, { input }, context) {
        const { result, userErrors, commit } = await service.setMembership(context, input);
        const membership = result && ((await projects.membership(result.projectId, result.userId)) ?? null);
        return { membership, userErrors, commit };
      },
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
        // The membership, or the caller's own, ended since it was read.
        if (user === undefined) throw new CodedError('UNAVAILABLE', 'The membership has just ended: read it again.');
        return user;
      },
    },
  };
}

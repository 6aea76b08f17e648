// Resolvers of projects and memberships.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { heldRole, visibleProjects } from '../../../../platform/caller/identity.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import type { ProjectStore } from '../stores/project-store.ts';
import type { MembershipPages } from './membership-pages.ts';
import type { ProjectService } from './project-service.ts';

export function projectResolvers(options: {
  entities: Entities;
  projects: ProjectStore;
  memberships: MembershipPages;
  service: ProjectService;
}): Resolvers {
  const { entities, projects, memberships, service } = options;
  return {
    Query: {
      async project(_, { id }, context) {
        caller(context);
        const uuid = decodeUuid('Project', id);
        return uuid === undefined ? null : ((await entities.project(context, uuid)) ?? null);
      },
      projects: (_, args, context) => projects.page({ ...args, projects: visibleProjects(caller(context)) }),
    },
    Mutation: {
      projectCreate: (_, { input }, context) => payload('project', service.create(context, input)),
      projectUpdate: (_, { input }, context) => payload('project', service.update(context, input)),
      projectDelete: (_, { input }, context) => payload('deletedId', service.delete(context, input)),
      membershipSet: (_, { input }, context) => payload('membership', service.setMembership(context, input)),
      membershipRemove: (_, { input }, context) => payload('project', service.removeMembership(context, input)),
    },
    Project: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('Project', id);
        return uuid === undefined ? null : ((await entities.project(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('Project', id),
      viewerRole: ({ id }, _, context) => heldRole(context.identity, id) ?? null,
      members: ({ id }, args, context) => memberships.ofProject(context, id, args),
    },
    Membership: {
      async project({ projectId }, _, context) {
        const project = await entities.project(context, projectId);
        if (project === undefined) throw new CodedError('UNAVAILABLE', 'The membership has just ended: read it again.');
        return project;
      },
      async user({ userId }, _, context) {
        const user = await entities.user(context, userId);
        // The membership, or the caller's own, has ended since it was read.
        if (user === undefined) throw new CodedError('UNAVAILABLE', 'The membership has just ended: read it again.');
        return user;
      },
    },
  };
}

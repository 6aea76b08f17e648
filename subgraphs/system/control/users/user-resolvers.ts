// Resolvers of users.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { adminCaller, caller } from '../../../../platform/input/authorise.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import type { MembershipPages } from '../projects/membership-pages.ts';
import type { UserStore } from '../stores/user-store.ts';
import type { UserService } from './user-service.ts';

export function userResolvers(options: {
  entities: Entities;
  users: UserStore;
  memberships: MembershipPages;
  service: UserService;
}): Resolvers {
  const { entities, users, memberships, service } = options;
  return {
    Query: {
      users(_, args, context) {
        adminCaller(context);
        return users.page({ ...args, projects: 'all' });
      },
    },
    Mutation: {
      userCreate: (_, { input }, context) => payload('user', service.create(context, input)),
      userUpdate: (_, { input }, context) => payload('user', service.update(context, input)),
    },
    User: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('User', id);
        return uuid === undefined ? null : ((await entities.user(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('User', id),
      enabled: ({ disabled }) => !disabled,
      memberships: ({ id }, args, context) => memberships.ofUser(context, id, args),
    },
  };
}

// Resolvers of users.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { adminCaller, caller } from '../../../platform/authorise.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { Entities } from '../entities.ts';
import type { UserService } from './user-service.ts';
import type { UserStore } from './user-store.ts';

export function userResolvers(options: { entities: Entities; users: UserStore; service: UserService }): Resolvers {
  const { entities, users, service } = options;
  return {
    Query: {
      async users(_, args, context) {
        adminCaller(context);
        const request = pageRequest(args);
        return page(await users.page(request), request.first, (user) => [user.name]);
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
    },
  };
}

// Resolvers of published operations.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { adminCaller, caller, requireGateway } from '../../../../platform/input/authorise.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import type { PublishedOperationStore } from '../stores/published-operation-store.ts';
import type { PublishedService } from './published-service.ts';
import { PublishedSet } from './published-set.ts';

const hashPattern = /^[0-9a-f]{64}$/;

export function publishedResolvers(options: {
  entities: Entities;
  published: PublishedOperationStore;
  service: PublishedService;
}): Resolvers {
  const { entities, published, service } = options;
  const set = new PublishedSet(published);
  return {
    Query: {
      publishedOperations(_, args, context) {
        adminCaller(context);
        return published.page({ ...args, projects: 'all' });
      },
      async publishedOperation(_, { hash }, context) {
        adminCaller(context);
        if (!hashPattern.test(hash))
          throw new CodedError(
            'INVALID_INPUT',
            'hash: it is not a SHA-256; give 64 lower-case hexadecimal digits, as `hash` has them.',
          );
        return (await published.byHashes([hash])).get(hash) ?? null;
      },
      publishedOperationSet(_, _args, context) {
        requireGateway(context);
        return set;
      },
    },
    Mutation: {
      publishedOperationAdd: (_, { input }, context) => payload('publishedOperations', service.add(context, input)),
      async publishedOperationRemove(_, { input }, context) {
        const { userErrors, commit } = await service.remove(context, input);
        return { removedId: userErrors.length === 0 ? input.id : null, userErrors, commit };
      },
    },
    PublishedOperation: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('PublishedOperation', id);
        return uuid === undefined ? null : ((await entities.publishedOperation(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('PublishedOperation', id),
      version: () => 1,
      updatedAt: ({ createdAt }) => createdAt,
    },
  };
}

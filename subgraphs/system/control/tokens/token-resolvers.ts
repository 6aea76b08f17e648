// Resolvers of API tokens.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { is } from '../../../../platform/database/range-search.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { actorOf } from '../../../../platform/graph/actor.ts';
import { caller, operatedProjects, projectsFor, requireOperatorsRead } from '../../../../platform/input/authorise.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import type { TokenStore } from '../stores/token-store.ts';
import type { TokenService } from './token-service.ts';

export function tokenResolvers(options: { entities: Entities; tokens: TokenStore; service: TokenService }): Resolvers {
  const { entities, tokens, service } = options;
  return {
    Query: {
      async apiTokens(_, args, context) {
        const identity = caller(context);
        requireOperatorsRead(identity, args.projectId, 'tokens');
        const projects = projectsFor(identity, args.projectId, operatedProjects(identity));
        // No tokens belong to a malformed id.
        const userId = args.userId == null ? undefined : (decodeUuid('User', args.userId) ?? '');
        return tokens.page({ ...args, projects, rest: is('user_id', userId) });
      },
    },
    Mutation: {
      async apiTokenCreate(_, { input }, context) {
        const { entity, secret, userErrors, commit } = await service.create(context, input);
        return { apiToken: entity, secret, userErrors, commit };
      },
      apiTokenRevoke: (_, { input }, context) => payload('apiToken', service.revoke(context, input)),
    },
    ApiToken: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('ApiToken', id);
        return uuid === undefined ? null : ((await entities.apiToken(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('ApiToken', id),
      createdBy({ createdBy, makerName: name, parentId }) {
        if (name === null) return null;
        return actorOf(
          parentId === null ? { kind: 'user', id: createdBy, name } : { kind: 'token', id: parentId, name },
        );
      },
      parent: async ({ parentId }, _, context) =>
        parentId === null ? null : ((await entities.apiToken(context, parentId)) ?? null),
      async project({ projectId }, _, context) {
        const project = await entities.project(context, projectId);
        if (project === undefined) throw new CodedError('UNAVAILABLE', 'The project is just being removed.');
        return project;
      },
    },
  };
}

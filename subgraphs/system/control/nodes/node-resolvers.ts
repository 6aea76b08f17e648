// Resolvers of objects across subgraphs (`node`, CmpObject) and of the system as a whole (commit, health).
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { cmpObjectProblems, decodeCmpObject, encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { decodeId, decodeUuid } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from './node.ts';

/** A component of the system, and whether it works. */
export interface ComponentHealth {
  readonly name: string;
  readonly ready: boolean;
  readonly detail: string | null;
}

const longestCommitToken = 512;

export function nodeResolvers(options: {
  entities: Entities;
  health: () => Promise<readonly ComponentHealth[]>;
}): Resolvers {
  const { entities, health } = options;
  return {
    Query: {
      async node(_, { id }, context) {
        caller(context);
        const decoded = decodeId(id);
        return decoded === undefined ? null : nodeByKey(entities, context, decoded.type, decoded.key);
      },
      cmpObject(_, args, context) {
        caller(context);
        const key = { namespace: args.namespace ?? 'default', type: args.type, externalId: args.externalId };
        const problem = cmpObjectProblems(key)[0];
        if (problem !== undefined) throw new CodedError('INVALID_INPUT', problem.message, { field: [problem.field] });
        return { id: encodeCmpObject(key), ...key };
      },
      commit(_, { token }, context) {
        caller(context);
        return token.length > longestCommitToken ? null : { token };
      },
      health(_, _args, context) {
        caller(context);
        return health();
      },
    },
    Actor: {
      async user({ user }, _, context) {
        const id = user === null ? undefined : decodeUuid('User', user.id);
        return id === undefined ? null : ((await entities.user(context, id)) ?? null);
      },
      async apiToken({ apiToken }, _, context) {
        const id = apiToken === null ? undefined : decodeUuid('ApiToken', apiToken.id);
        return id === undefined ? null : ((await entities.apiToken(context, id)) ?? null);
      },
    },
    CmpObject: {
      __resolveReference({ id }, context) {
        caller(context);
        const key = decodeCmpObject(id);
        return key === undefined ? null : { id, ...key };
      },
    },
  };
}

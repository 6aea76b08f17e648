// Resolvers of objects across subgraphs (`node`, CmpObject) and of the system as a whole (commit, health).
import type { Resolvers } from '../../../generated/graph/system.ts';
import { caller } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import { cmpObjectProblems, decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import { decodeId } from '../../../platform/ids.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from './node.ts';

/** A part of the system, and whether it works. */
export interface PartHealth {
  readonly name: string;
  readonly ready: boolean;
  readonly detail: string | null;
}

const longestCommitToken = 512;

export function nodeResolvers(options: {
  entities: Entities;
  health: () => Promise<readonly PartHealth[]>;
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
    CmpObject: {
      __resolveReference({ id }, context) {
        caller(context);
        const key = decodeCmpObject(id);
        return key === undefined ? null : { id, ...key };
      },
    },
  };
}

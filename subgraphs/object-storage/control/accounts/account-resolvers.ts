// Resolvers of accounts and access keys. Operators of the project can see its keys; a secret is shown only when it is created.
import type { Resolvers } from '../../../../generated/graph/object-storage.ts';
import { allows, type RequestContext } from '../../../../platform/caller/identity.ts';
import { always, type Database } from '../../../../platform/database/database.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import {
  caller,
  maySee,
  operatedProjects,
  projectsFor,
  requireOperatorsRead,
} from '../../../../platform/input/authorise.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import { type AccountRow, accountsOf, readAccounts } from '../stores/account-store.ts';
import type { AccessKeyService } from './access-key-service.ts';
import { type AccessKeyRow, readAccessKeys } from './access-key-store.ts';

const accountById = Symbol('accounts by id');
const accountByProject = Symbol('accounts by project');
const keyById = Symbol('access keys by id');

/** Including revoked keys. */
const keyList: ListTable = {
  ...{ table: 'object_access_key', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'object_access_key_name_idx' },
  ofProject: { time: 'object_access_key_project_idx', name: 'object_access_key_project_name_idx' },
};

export function accountResolvers(db: Database, service: AccessKeyService): Resolvers {
  const account = async (context: RequestContext, globalId: string): Promise<AccountRow | null> => {
    const id = decodeUuid('ObjectAccount', globalId);
    const row = id && (await loader(context, accountById, id, (ids) => readAccounts(db, ids)));
    return row && maySee(context.identity, row.projectId) ? row : null;
  };
  const accountOf = async (context: RequestContext, projectId: string): Promise<AccountRow | null> => {
    if (!maySee(context.identity, projectId)) return null;
    return (await loader(context, accountByProject, projectId, (ids) => accountsOf(db, ids))) ?? null;
  };
  const accessKey = async (context: RequestContext, globalId: string): Promise<AccessKeyRow | null> => {
    const id = decodeUuid('ObjectAccessKey', globalId);
    const row = id && (await loader(context, keyById, id, (ids) => readAccessKeys(db, ids)));
    return row && allows(context.identity, row.projectId, 'OPERATOR') ? row : null;
  };
  return {
    Query: {
      objectAccount: (_, { id }, context) => account(context, id),
      objectAccessKey: (_, { id }, context) => accessKey(context, id),
      async objectAccessKeys(_, args, context) {
        const identity = caller(context);
        requireOperatorsRead(identity, args.projectId, 'access keys');
        const projects = projectsFor(identity, args.projectId, operatedProjects(identity));
        const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'OLDEST', projects };
        return pageOfList(db, keyList, filter, (ids) => readAccessKeys(db, ids));
      },
    },
    Mutation: {
      async objectAccessKeyCreate(_, { input }, context) {
        const { entity, secret, userErrors, commit } = await service.create(context, input);
        return { objectAccessKey: entity, secret, userErrors, commit };
      },
      objectAccessKeyRevoke: (_, { input }, context) => payload('objectAccessKey', service.revoke(context, input)),
    },
    ObjectAccount: {
      __resolveReference: ({ id }, context) => account(context, id),
      id: ({ id }) => encodeId('ObjectAccount', id),
      version: () => 1,
      updatedAt: ({ createdAt }) => createdAt,
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
    },
    ObjectAccessKey: {
      __resolveReference: ({ id }, context) => accessKey(context, id),
      id: ({ id }) => encodeId('ObjectAccessKey', id),
      updatedAt: ({ createdAt, revokedAt }) => revokedAt ?? createdAt,
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      account: ({ projectId }, _, context) => accountOf(context, projectId),
    },
    Project: {
      __resolveReference: ({ id }) => ({ id }),
      objectAccount: ({ id }, _, context) => {
        const uuid = decodeUuid('Project', id);
        return uuid === undefined ? null : accountOf(context, uuid);
      },
    },
  };
}

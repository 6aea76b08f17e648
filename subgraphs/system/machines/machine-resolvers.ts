// Resolvers of machines.
import type { Resolvers } from '../../../generated/graph/system.ts';
import { adminCaller, caller, machineCaller } from '../../../platform/authorise.ts';
import { page, pageRequest } from '../../../platform/graph/connection.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { Entities } from '../entities.ts';
import { stateOf } from './machine.ts';
import type { MachineService } from './machine-service.ts';
import type { MachineStore } from './machine-store.ts';

export function machineResolvers(options: {
  entities: Entities;
  machines: MachineStore;
  service: MachineService;
}): Resolvers {
  const { entities, machines, service } = options;
  return {
    Query: {
      async machines(_, args, context) {
        adminCaller(context);
        const request = pageRequest(args);
        return page(await machines.page(request), request.first, (machine) => [machine.id]);
      },
      async machineRevocations(_, _args, context) {
        machineCaller(context);
        return (await machines.revocations()).map((id) => encodeId('Machine', id));
      },
    },
    Mutation: {
      async machineCreate(_, { input }, context) {
        const { entity, join, userErrors, commit } = await service.create(context, input);
        return {
          machine: entity,
          joinToken: join?.token ?? null,
          joinTokenExpiresAt: join?.expiresAt ?? null,
          userErrors,
          commit,
        };
      },
      machineJoin: async (_, { input }, context) => shown(await service.join(context, input)),
      machineRenew: async (_, { input }, context) => shown(await service.renew(context, input)),
      machineRevoke: (_, { input }, context) => payload('machine', service.revoke(context, input)),
    },
    Machine: {
      async __resolveReference({ id }, context) {
        caller(context);
        const uuid = decodeUuid('Machine', id);
        return uuid === undefined ? null : ((await entities.machine(context, uuid)) ?? null);
      },
      id: ({ id }) => encodeId('Machine', id),
      state: (machine) => stateOf(machine),
    },
  };
}

function shown({ entity, credential, userErrors, commit }: Awaited<ReturnType<MachineService['join']>>) {
  if (entity === null || credential === undefined) return { userErrors, commit };
  const { id, name, role } = entity;
  return { machineId: encodeId('Machine', id), name, role, ...credential, userErrors, commit };
}

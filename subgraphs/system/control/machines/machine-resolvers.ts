// Resolvers of machines.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import { payload } from '../../../../platform/edge/mutation.ts';
import { adminCaller, caller, machineCaller } from '../../../../platform/input/authorise.ts';
import { hostRole } from '../../../../platform/machines/host-record.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import { stateOf } from '../stores/machine.ts';
import type { MachineStore } from '../stores/machine-store.ts';
import { roleOf } from './machine-roles.ts';
import type { MachineService } from './machine-service.ts';

const copies = Symbol('refused copies by machine');

export function machineResolvers(options: {
  entities: Entities;
  machines: MachineStore;
  service: MachineService;
}): Resolvers {
  const { entities, machines, service } = options;
  return {
    Query: {
      machines(_, args, context) {
        adminCaller(context);
        return machines.page({ ...args, projects: 'all' });
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
      machineRole: ({ role }) => roleOf(role),
      machineState: (machine) => stateOf(machine),
      copyRefusedAt: async ({ id }, _, context) =>
        (await loader(context, copies, id, (ids) => machines.copiesRefused(ids))) ?? null,
      // A host has the id of its machine.
      loadBalancerHost: ({ id, role }) => (role === hostRole ? { id: encodeId('LoadBalancerHost', id) } : null),
    },
  };
}

function shown({ entity, credential, userErrors, commit }: Awaited<ReturnType<MachineService['join']>>) {
  if (entity === null || credential === undefined) return { userErrors, commit };
  const { id, name, role } = entity;
  return { machineId: encodeId('Machine', id), name, machineRole: roleOf(role), ...credential, userErrors, commit };
}

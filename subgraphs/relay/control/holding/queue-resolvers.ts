// The fields that holding adds to backends in the graph: the queue, and the holder.
import type { Resolvers } from '../../../../generated/graph/relay.ts';
import type { Leases } from '../../../../platform/leases/leases.ts';
import type { OperationReads } from '../journal/operation-reads.ts';
import { backendLease } from './backend-manager.ts';

export function queueResolvers(dependencies: {
  readonly operations: OperationReads;
  readonly leases: Leases;
  /** This process's owner id, and its display name. */
  readonly owner: string;
  readonly name: string;
}): Resolvers {
  const { operations, leases, owner, name } = dependencies;
  return {
    Backend: {
      queue: async ({ id, queueLimit }) => ({ id, limit: queueLimit }),
    },
    BackendQueue: {
      waiting: async ({ id }, _, context) => (await operations.queue(context, id)).waiting,
      inFlight: async ({ id }, _, context) => (await operations.queue(context, id)).inFlight,
      holder: async ({ id }) => {
        const holder = await leases.holder(backendLease(id));
        if (holder?.live !== true) return null;
        return holder.owner === owner ? name : holder.owner;
      },
    },
  };
}

/** A backend's queue, as the source of its fields. */
export interface QueueOfBackend {
  /** UUID of the backend. */
  readonly id: string;
  readonly limit: number;
}

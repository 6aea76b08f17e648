// The GSLB subgraph: its services and resolvers.
import type { Resolvers } from '../../generated/graph/gslb.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { loader } from '../../platform/graph/loader.ts';
import type { RequestContext } from '../../platform/identity.ts';
import { decodeUuid, encodeId } from '../../platform/ids.ts';
import type { RunningSubgraph, SubgraphGround } from '../../platform/subgraph-row.ts';
import type { ConductorLinks } from './conductor/conductor-links.ts';
import { readFlavors } from './conductor/flavor-store.ts';

const flavors = Symbol('flavors by id');

export interface GslbOptions extends SubgraphGround {
  readonly links: ConductorLinks;
}

export function createGslbSubgraph({ db, commits, cursors, sdl, links }: GslbOptions): RunningSubgraph {
  const flavor = async (context: RequestContext, globalId: string) => {
    const id = decodeUuid('GslbFlavor', globalId);
    return id === undefined ? null : ((await loader(context, flavors, id, (ids) => readFlavors(db, ids))) ?? null);
  };
  const resolvers: Resolvers = {
    Query: { gslbFlavor: (_, { id }, context) => flavor(context, id) },
    GslbFlavor: {
      __resolveReference: ({ id }, context) => flavor(context, id),
      id: ({ id }) => encodeId('GslbFlavor', id),
    },
  };
  return {
    subgraph: createSubgraph({ name: 'gslb', sdl, commits, cursors, resolvers: [resolvers] }),
    start: () => links.start(),
    drain: () => links.drain(),
    stop: () => links.stop(),
  };
}

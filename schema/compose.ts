// Composition of the subgraphs' SDL into the supergraph.
// The composer is a port of one function; docs/decisions/0014 says why it is this one.
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { notCarriedOut } from '../platform/graph/carried-out.ts';
import type { SubgraphSdl } from '../platform/graph/sdl.ts';
import { withInterfaceObjectExternals } from './interface-object-externals.ts';

/** SDL of the supergraph, from the whole SDL of each subgraph. Throws with every fault when they do not fit together. */
export function composeSupergraph(subgraphs: SubgraphSdl): string {
  const services = [...subgraphs].map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) }));
  const refused = services.flatMap(({ name, typeDefs }) => notCarriedOut(typeDefs).map((fault) => `${name}: ${fault}`));
  if (refused.length > 0) throw new Error(`the subgraphs do not compose:\n${refused.join('\n')}`);
  const { supergraphSdl, errors = [] } = composeServices(services);
  if (supergraphSdl === undefined)
    throw new Error(`the subgraphs do not compose:\n${errors.map(({ message }) => message).join('\n')}`);
  return `${withInterfaceObjectExternals(supergraphSdl, services).trim()}\n`;
}

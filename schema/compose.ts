// Composition of the subgraphs' SDL into the supergraph, which is checked in: `npm run compose` after a change of the graph.
// The composer is a port of one function; docs/decisions/0014 says why it is this one.
import { writeFile } from 'node:fs/promises';
import { composeServices } from '@theguild/federation-composition';
import { buildSchema, GraphQLSchema, isSpecifiedDirective, parse } from 'graphql';
import { readGraph, type SubgraphSdl } from '../platform/graph/sdl.ts';

export const supergraphFile = 'supergraph.graphql';

/** The schema that clients of a supergraph see: it without the names of the federation, `join__` and `link__`. */
export function apiSchemaOf(supergraphSdl: string): GraphQLSchema {
  const schema = buildSchema(supergraphSdl, { assumeValidSDL: true, noLocation: true });
  const { types, directives, ...config } = schema.toConfig();
  return new GraphQLSchema({
    ...config,
    extensionASTNodes: [],
    types: types.filter(({ name }) => !/^(join|link)__/.test(name)),
    directives: directives.filter(isSpecifiedDirective),
  });
}

/** SDL of the supergraph, from the whole SDL of each subgraph. Throws with every fault when they do not fit together. */
export function composeSupergraph(subgraphs: SubgraphSdl): string {
  const services = [...subgraphs].map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) }));
  const { supergraphSdl, errors = [] } = composeServices(services);
  if (supergraphSdl === undefined)
    throw new Error(`the subgraphs do not compose:\n${errors.map(({ message }) => message).join('\n')}`);
  return `${supergraphSdl.trim()}\n`;
}

if (import.meta.main) {
  await writeFile(new URL(supergraphFile, import.meta.url), composeSupergraph(readGraph()));
}

// Composition of the subgraphs' SDL into the supergraph. It is a build step (schema/supergraph.graphql is checked in), so
// the composer is only loaded where someone composes.
import { parse } from 'graphql';

export interface ServiceSdl {
  readonly name: string;
  readonly sdl: string;
}

/** The supergraph's SDL; throws with every fault that composition finds. */
export async function composeSupergraph(services: readonly ServiceSdl[]): Promise<string> {
  const { composeServices } = await import('@apollo/composition');
  const result = composeServices(
    services.map(({ name, sdl }) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
  );
  if (result.errors !== undefined && result.errors.length > 0)
    throw new Error(`the subgraphs do not compose:\n${result.errors.map((error) => error.message).join('\n')}`);
  if (result.supergraphSdl === undefined) throw new Error('the subgraphs do not compose');
  return result.supergraphSdl;
}

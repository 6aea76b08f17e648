// Composes the subgraphs' SDL into the supergraph that is checked in: `npm run compose` after a change of the graph.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { type GraphQLSchema, parse } from 'graphql';

/** SDL by subgraph name. */
export type SubgraphSdl = ReadonlyMap<string, string>;

export interface Composed {
  readonly supergraphSdl: string;
  /** As clients see it. */
  readonly apiSchema: GraphQLSchema;
}

export const supergraphFile = 'supergraph.graphql';

/** Throws with every fault when the subgraphs do not fit together. */
export function composeSubgraphs(subgraphs: SubgraphSdl): Composed {
  const services = [...subgraphs].map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) }));
  const result = composeServices(services);
  if (result.supergraphSdl === undefined) {
    const faults = result.errors.map((error) => error.message).join('\n');
    throw new Error(`the subgraphs do not compose:\n${faults}`);
  }
  // Composition brings its own copy of graphql's types; the schema is the same one at run time.
  const apiSchema = result.schema.toAPISchema().toGraphQLJSSchema() as GraphQLSchema;
  return { supergraphSdl: result.supergraphSdl, apiSchema };
}

/** The SDL of every subgraph in a folder, in a fixed order. */
export async function readSubgraphs(folder: string): Promise<SubgraphSdl> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.graphql') && name !== supergraphFile);
  // The order of composition is part of the supergraph's text.
  const names = files.map((file) => basename(file, '.graphql')).sort(bySystemFirst);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, `${name}.graphql`), 'utf8')));
  return new Map(names.map((name, index) => [name, texts[index] ?? '']));
}

/** System owns what all share, so that its descriptions come first. */
function bySystemFirst(a: string, b: string): number {
  return Number(b === 'system') - Number(a === 'system') || a.localeCompare(b);
}

if (import.meta.main) {
  const folder = import.meta.dirname;
  const { supergraphSdl } = composeSubgraphs(await readSubgraphs(folder));
  await writeFile(join(folder, supergraphFile), supergraphSdl);
}

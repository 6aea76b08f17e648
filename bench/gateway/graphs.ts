// The graphs of the benchmark, by name.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { resolveEntitiesAtOnce } from '../../platform/graph/entities.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { deviceGraph } from './device-graph.ts';
import { publicGraph } from './public-graph.ts';
import type { BenchGraph, Workload } from './workload.ts';

const graphs = { devices: deviceGraph, public: publicGraph } satisfies Record<string, BenchGraph>;

export type GraphName = keyof typeof graphs;

export const graphNames = Object.keys(graphs) as GraphName[];

export function graphNamed(name: GraphName): BenchGraph {
  return graphs[name];
}

export function workloadNamed(graph: GraphName, name: string): Workload {
  const workload = graphNamed(graph).workloads[name];
  if (workload === undefined) throw new Error(`graph ${graph} has no workload ${name}`);
  return workload;
}

/** New executable schemas, built like the product's subgraphs. */
export function createSubgraphs(graph: GraphName): readonly Subgraph[] {
  return graphNamed(graph).services.map(({ name, sdl, resolvers }) => {
    const modules = [{ typeDefs: parse(sdl), resolvers }] as Parameters<typeof buildSubgraphSchema>[0];
    const schema = buildSubgraphSchema(modules);
    resolveEntitiesAtOnce(schema);
    return { name, schema };
  });
}

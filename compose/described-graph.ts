// The graph that the settings describe: our subgraphs, and those of other teams.
import type { SubgraphLocation } from '../gateway/supergraph/subgraph-location.ts';
import { readSupergraph } from '../platform/graph/generated-schema.ts';
import { graphOf } from '../platform/graph/sdl.ts';
import type { OutsideSubgraph } from '../platform/machines/outside-subgraphs.ts';
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';
import { openOutsideSubgraphs } from './outside-subgraphs.ts';

export type RowSdl = Pick<SubgraphRow, 'name' | 'sdl'>;

export interface DescribedGraph {
  readonly supergraphSdl: string;
  /** Locations of outside subgraphs. */
  readonly places: readonly SubgraphLocation[];
  /** Types of outside subgraphs that are Nodes. */
  readonly outsideNodes: readonly string[];
}

/** Throws ConfigError with every fault. Composing blocks the event loop. */
export async function describeGraph(
  rows: readonly RowSdl[],
  outside: readonly OutsideSubgraph[],
): Promise<DescribedGraph> {
  const { places, supergraphSdl, outsideNodes } = await openOutsideSubgraphs(outside, rows);
  return { places, outsideNodes, supergraphSdl: supergraphSdl ?? (await supergraphOf(rows)) };
}

/** The generated supergraph if it has exactly these subgraphs. Otherwise composes one. */
async function supergraphOf(rows: readonly RowSdl[]): Promise<string> {
  const stored = readSupergraph();
  const names = [...stored.matchAll(/@join__graph\(name: "([^"]+)"/g)].map(([, name = '']) => name);
  if (names.length === rows.length && rows.every(({ name }) => names.includes(name))) return stored;
  const { composeSupergraph } = await import('../schema/compose.ts');
  return composeSupergraph(graphOf(rows));
}

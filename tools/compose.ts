// Writes the supergraph of the subgraphs in subgraphs/rows.ts: npm run compose, after a change of the graph.
import { writeFile } from 'node:fs/promises';
import { graphOf } from '../platform/graph/sdl.ts';
import { composeSupergraph, supergraphFile } from '../schema/compose.ts';
import { subgraphRows } from '../subgraphs/rows.ts';

await writeFile(new URL(`../schema/${supergraphFile}`, import.meta.url), composeSupergraph(graphOf(subgraphRows)));

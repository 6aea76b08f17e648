// Subgraphs of other teams (docs/extending.md): their SDL is read and checked when a process starts. A gateway composes the graph with them, and the
// role system learns which Nodes they have. After any fault the process does not start.
import { readFileSync } from 'node:fs';
import type { SubgraphLocation } from '../gateway/supergraph/subgraph-location.ts';
import { ConfigError, type ConfigFault, unusableFile } from '../platform/errors/config-error.ts';
import { outsideNodes, outsideSdlFaults } from '../platform/graph/outside-sdl.ts';
import { graphOf, type SubgraphSdl, withOutsideNodes } from '../platform/graph/sdl.ts';
import type { OutsideSubgraph } from '../platform/machines/outside-subgraphs.ts';
import type { OutsideNodes, SubgraphRow } from '../platform/process/subgraph-row.ts';

interface OpenedOutsideSubgraphs {
  readonly places: readonly SubgraphLocation[];
  /** Undefined if there are none. */
  readonly supergraphSdl: string | undefined;
  /** Their types that are Nodes. */
  readonly outsideNodes: readonly string[];
}

/** Throws ConfigError with every fault. */
export async function openOutsideSubgraphs(
  subgraphs: readonly OutsideSubgraph[],
  rows: readonly Pick<SubgraphRow, 'name' | 'sdl'>[],
): Promise<OpenedOutsideSubgraphs> {
  if (subgraphs.length === 0) return { places: [], supergraphSdl: undefined, outsideNodes: [] };
  const faults: ConfigFault[] = [];
  const sdl = new Map<string, string>();
  const places: SubgraphLocation[] = [];
  for (const { name, urls, sdl: sdlFile, caFile, deadlineMs, oneAtATime } of subgraphs) {
    const text = readText(sdlFile, `subgraphs.${name}.sdl`, faults);
    const ca = caFile === undefined ? undefined : readText(caFile, `subgraphs.${name}.caFile`, faults);
    if (text !== undefined) sdl.set(name, text);
    const [first = '', ...others] = urls.map((url) => new URL(url).origin);
    places.push({
      ...{ name, urls: [first, ...others], isOutside: true },
      ...(ca === undefined ? {} : { ca }),
      ...(deadlineMs === undefined ? {} : { queryDeadlineMs: deadlineMs }),
      ...(oneAtATime === undefined ? {} : { oneAtATime }),
    });
  }
  const composed = await composeWith(graphOf(rows), sdl);
  if ('faults' in composed) faults.push(...composed.faults.map(configFault));
  if (faults.length > 0 || 'faults' in composed) throw new ConfigError(faults);
  return { places, ...composed };
}

/** The Nodes of each outside subgraph, by its name. Throws ConfigError with every fault. */
export function readOutsideNodes(subgraphs: readonly OutsideSubgraph[], ours: SubgraphSdl): OutsideNodes {
  const faults: ConfigFault[] = [];
  const sdl = new Map<string, string>();
  for (const { name, sdl: sdlFile } of subgraphs) {
    const text = readText(sdlFile, `subgraphs.${name}.sdl`, faults);
    if (text !== undefined) sdl.set(name, text);
  }
  const checked = nodesOf(sdl, ours);
  if ('faults' in checked) faults.push(...checked.faults.map(configFault));
  if (faults.length > 0 || 'faults' in checked) throw new ConfigError(faults);
  return checked.nodes;
}

interface SdlFault {
  readonly name: string;
  readonly wrong: string;
}

interface ComposedGraph {
  readonly supergraphSdl: string;
  readonly outsideNodes: readonly string[];
}

/** The supergraph of our subgraphs and these, or every fault of these. */
export async function composeWith(
  ours: SubgraphSdl,
  outside: SubgraphSdl,
): Promise<ComposedGraph | { readonly faults: readonly SdlFault[] }> {
  const checked = nodesOf(outside, ours);
  if ('faults' in checked) return checked;
  const nodes = [...checked.nodes.values()].flat();
  const known = withOutsideNodes(ours, nodes);
  const { composeSupergraph } = await import('../schema/compose.ts');
  try {
    return { supergraphSdl: composeSupergraph(new Map([...known, ...outside])), outsideNodes: nodes };
  } catch (error) {
    // A fault that arises only between subgraphs names them itself.
    const wrong = error instanceof Error ? error.message : String(error);
    return { faults: [...outside.keys()].map((name) => ({ name, wrong })) };
  }
}

/** A Node belongs to one subgraph, which alone may send status events about it. */
function nodesOf(
  outside: SubgraphSdl,
  ours: SubgraphSdl,
): { readonly nodes: OutsideNodes } | { readonly faults: readonly SdlFault[] } {
  const faults = [...outside].flatMap(([name, sdl]) => outsideSdlFaults(sdl, ours).map((wrong) => ({ name, wrong })));
  if (faults.length > 0) return { faults };
  const nodes = new Map([...outside].map(([name, sdl]) => [name, outsideNodes(sdl, ours)]));
  const owners = new Map<string, string>();
  for (const [name, types] of nodes)
    for (const type of types) {
      const owner = owners.get(type);
      if (owner !== undefined)
        faults.push({ name, wrong: `${type} is a Node of ${owner}: extend it without "implements Node"` });
      owners.set(type, name);
    }
  return faults.length > 0 ? { faults } : { nodes };
}

function configFault({ name, wrong }: SdlFault): ConfigFault {
  const advice = 'change the SDL, and try it with "tidegate subgraphs check FILE": docs/extending.md';
  return { settings: [`subgraphs.${name}.sdl`], wrong, advice };
}

function readText(path: string, setting: string, faults: ConfigFault[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    faults.push(unusableFile([setting], path, error));
    return undefined;
  }
}

// Resolver types: codegen.yml configures them once, and each subgraph in schema/ gets a file of them, so that a new subgraph needs no entry there.
import type { CodegenConfig } from '@graphql-codegen/cli';
import type { SubgraphSdl } from '../../platform/graph/sdl.ts';

/** Stands for each subgraph in codegen.yml. */
export const eachSubgraph = 'generated/graph/NAME.ts';

type Outputs = CodegenConfig['generates'];

/** Type of the graph by a file, from the root, and the name of a type there: `Prefix: subgraphs/ipam/prefix.ts#PrefixRow`. */
export type Mappers = Readonly<Record<string, string>>;

/** Replaces `eachSubgraph` in the outputs by the subgraphs. */
export function withResolverTypes(outputs: Outputs, graph: SubgraphSdl, mappersOf: (name: string) => Mappers): Outputs {
  const { [eachSubgraph]: each, ...others } = outputs;
  if (each === undefined || Array.isArray(each)) return others;
  const made = [...graph].map(([name, schema]) => {
    const places = Object.entries({ ...connectionsOf(schema), ...mappersOf(name) });
    const own = Object.fromEntries(places.map(([type, place]) => [type, `../../${place}`]));
    const config = { ...each.config, mappers: { ...each.config?.mappers, ...own } };
    return [eachSubgraph.replace('NAME', name), { ...each, schema, config }];
  });
  return { ...Object.fromEntries(made), ...others };
}

/** Each connection is passed on with its count. `{T}` is its type in the SDL. */
function connectionsOf(sdl: string): Mappers {
  const names = [...sdl.matchAll(/^type (\w+Connection)\b/gm)].map(([, name = '']) => name);
  return Object.fromEntries(names.map((name) => [name, 'platform/pages/connection.ts#Counted<{T}>']));
}

// The SDL that is made from the typed kinds of a subgraph, by its name.
import { gslbGraphText } from '../subgraphs/gslb/spec/graph-text.ts';
import { partsGraphText } from '../subgraphs/loadbalancer/spec/graph-text.ts';
import { typedMutations } from '../subgraphs/relay/spec/families.ts';
import { graphTextOf } from '../subgraphs/relay/spec/graph-text.ts';

export function makeSdl(): ReadonlyMap<string, string> {
  return new Map([
    ['relay', made('relay', graphTextOf(typedMutations))],
    ['loadbalancer', made('loadbalancer', partsGraphText())],
    ['gslb', made('gslb', gslbGraphText())],
  ]);
}

function made(subgraph: string, sdl: string): string {
  return `# Made from subgraphs/${subgraph}/spec/ by \`npm run compose\`: change it there.\n\n${sdl}`;
}

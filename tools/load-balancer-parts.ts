// schema/loadbalancer.made.graphql: the parts of load balancers in subgraphs/loadbalancer/parts/, as SDL.
import { writeFile } from 'node:fs/promises';
import { partsGraphText } from '../subgraphs/loadbalancer/parts/graph-text.ts';

export const madeFile = 'schema/loadbalancer.made.graphql';

export function partsSdl(): string {
  return `# Made from subgraphs/loadbalancer/parts/ by \`npm run compose\`: change it there.\n\n${partsGraphText()}`;
}

if (import.meta.main) await writeFile(new URL(`../${madeFile}`, import.meta.url), partsSdl());

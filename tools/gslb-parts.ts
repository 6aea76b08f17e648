// schema/gslb.made.graphql: the objects of GSLB in subgraphs/gslb/parts/, as SDL.
import { writeFile } from 'node:fs/promises';
import { gslbGraphText } from '../subgraphs/gslb/parts/graph-text.ts';

export const madeFile = 'schema/gslb.made.graphql';

export function gslbSdl(): string {
  return `# Made from subgraphs/gslb/parts/ by \`npm run compose\`: change it there.\n\n${gslbGraphText()}`;
}

if (import.meta.main) await writeFile(new URL(`../${madeFile}`, import.meta.url), gslbSdl());

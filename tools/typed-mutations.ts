// schema/relay.made.graphql: the typed mutations of subgraphs/relay/families/, as SDL.
import { writeFile } from 'node:fs/promises';
import { typedMutations } from '../subgraphs/relay/families/families.ts';
import { graphTextOf } from '../subgraphs/relay/families/graph-text.ts';

export const madeFile = 'schema/relay.made.graphql';

export function typedMutationsSdl(): string {
  return `# Made from subgraphs/relay/families/ by \`npm run compose\`: change it there.\n\n${graphTextOf(typedMutations)}`;
}

if (import.meta.main) await writeFile(new URL(`../${madeFile}`, import.meta.url), typedMutationsSdl());

// The part of schema/relay.graphql that is made: the typed mutations of subgraphs/relay/families/.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { typedMutations } from '../subgraphs/relay/families/families.ts';
import { graphTextOf } from '../subgraphs/relay/families/graph-text.ts';

const marker = '# What follows is made from subgraphs/relay/families/ by `npm run compose`: change it there.\n';

/** The relay's SDL with its made part as it should be. */
export function withTypedMutations(sdl: string): string {
  const end = sdl.indexOf(marker);
  if (end < 0) throw new Error(`the SDL lacks the line: ${marker}`);
  return `${sdl.slice(0, end)}${marker}\n${graphTextOf(typedMutations)}`;
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '../schema/relay.graphql');
  await writeFile(file, withTypedMutations(await readFile(file, 'utf8')));
}

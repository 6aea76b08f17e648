// Functions of the product end on the page where they begin: a longer one is named steps, which a test can try alone.
import type { SourceFile } from './source-files.ts';

const mostLines = 90;

/** Programs that measure, test or generate may read from top to bottom. */
const product =
  /^(?:backup|bin|cli|clients|compose|dashboard\/src|dns|embedded|gateway|ha|lab|platform|schema|simulators|subgraphs|workers)\//;

export function findLengthFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => product.test(path))
    .flatMap(({ path, functions }) =>
      functions
        .filter(({ lines }) => lines > mostLines)
        .map(({ line, lines }) => `${path}:${line} is a function of ${lines} lines; at most ${mostLines} are allowed`),
    );
}

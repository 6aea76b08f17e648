// The documents of docs/examples, which GraphiQL shows as tabs: each NAME.graphql, with variables in NAME.json. The page is built with them.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const examplesFolder = fileURLToPath(new URL('../docs/examples', import.meta.url));
/** The first tab. */
const mainJob = 'firewall-block';

interface ExampleFile {
  /** Without its ending. */
  readonly name: string;
  readonly query: string;
  /** JSON. Absent if the document needs none. */
  readonly variables?: string;
}

/** The main job, then the others by name. */
export function exampleFiles(): readonly ExampleFile[] {
  const files = readdirSync(examplesFolder);
  const names = files.filter((file) => file.endsWith('.graphql')).map((file) => file.replace(/\.graphql$/, ''));
  const read = (file: string) => readFileSync(`${examplesFolder}/${file}`, 'utf8');
  const order = (name: string) => `${name === mainJob ? 0 : 1}${name}`;
  return names
    .sort((one, other) => (order(one) < order(other) ? -1 : 1))
    .map((name) => ({
      name,
      query: read(`${name}.graphql`),
      ...(files.includes(`${name}.json`) ? { variables: read(`${name}.json`) } : {}),
    }));
}

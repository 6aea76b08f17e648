// schema/released/VERSION.graphql: the graph of the last release as its clients see it. `npm run release` writes it, and
// `npm run check` compares today's graph with it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConstDirectiveNode, type DocumentNode, Kind, type ObjectTypeDefinitionNode, parse, print } from 'graphql';

export const releasedFolder = 'schema/released';

export interface ReleasedGraph {
  readonly version: string;
  readonly document: DocumentNode;
}

/** Throws unless there is exactly one. */
export async function readReleasedGraph(root: string): Promise<ReleasedGraph> {
  const names = await readdir(join(root, releasedFolder)).catch(() => []);
  const [name, ...others] = names.filter((each) => each.endsWith('.graphql'));
  if (name === undefined || others.length > 0)
    throw new Error(`${releasedFolder}/ needs one file: the graph of the last release, as npm run release wrote it`);
  const text = await readFile(join(root, releasedFolder, name), 'utf8');
  return { version: name.slice(0, -'.graphql'.length), document: parse(text, { noLocation: true }) };
}

export function releasedText(version: string, apiSdl: string, publicSdl: string): string {
  const header = `# The graph of ${version}: npm run release wrote it, and nobody changes it.`;
  return `${header}\n\n${print(clientGraph(apiSdl, publicSdl))}\n`;
}

/** schema/api.graphql, with `@tag(name: "admin")` on the root fields that the public part lacks. */
export function clientGraph(apiSdl: string, publicSdl: string): DocumentNode {
  const [all, open] = [apiSdl, publicSdl].map((sdl) => parse(sdl, { noLocation: true })) as [
    DocumentNode,
    DocumentNode,
  ];
  const shown = new Set(open.definitions.filter(isRoot).flatMap(pathsOf));
  const definitions = all.definitions.map((type) => {
    if (!isRoot(type)) return type;
    const fields = (type.fields ?? []).map((field) =>
      shown.has(`${type.name.value}.${field.name.value}`)
        ? field
        : { ...field, directives: [...(field.directives ?? []), adminTag] },
    );
    return { ...type, fields };
  });
  return { ...all, definitions };
}

const adminTag: ConstDirectiveNode = {
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: 'tag' },
  arguments: [
    {
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: 'name' },
      value: { kind: Kind.STRING, value: 'admin' },
    },
  ],
};

function isRoot(definition: DocumentNode['definitions'][number]): definition is ObjectTypeDefinitionNode {
  return (
    definition.kind === Kind.OBJECT_TYPE_DEFINITION &&
    ['Query', 'Mutation', 'Subscription'].includes(definition.name.value)
  );
}

function pathsOf({ name, fields = [] }: ObjectTypeDefinitionNode): string[] {
  return fields.map((field) => `${name.value}.${field.name.value}`);
}

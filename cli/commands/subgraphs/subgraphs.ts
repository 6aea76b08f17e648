// `tidegate subgraphs`: subgraphs that other teams run (docs/extending.md). Sends no request.
import { readFileSync } from 'node:fs';
import { isObjectType, isTypeDefinitionNode, Kind, parse, print } from 'graphql';
import { composeWith } from '../../../compose/outside-subgraphs.ts';
import { unusableFile } from '../../../platform/errors/config-error.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { apiSchemaOf, graphOf, readOwnGraph, readSharedSdl } from '../../../platform/graph/sdl.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { CommandFailure } from '../../failures.ts';
import { localVerb, type Noun } from '../../verb.ts';

const check = localVerb({
  summary: 'Check that the SDL of your own subgraph fits into the graph, and show its additions.',
  takes: ['FILE'] as const,
  options: {},
  async run({ names, stdout, stderr }) {
    const sdl = textOf(names[0]);
    const composed = await composeWith(graphOf(subgraphRows), new Map([['yours', sdl]]));
    if ('faults' in composed) {
      for (const { wrong } of composed.faults) stderr.write(`${names[0]}: ${wrong}\n`);
      throw new CommandFailure(
        `the SDL has ${composed.faults.length === 1 ? 'a fault' : `${composed.faults.length} faults`}`,
      );
    }
    const before = apiSchemaOf(readSupergraph());
    const after = apiSchemaOf(composed.supergraphSdl);
    for (const type of Object.values(after.getTypeMap())) {
      const old = before.getType(type.name);
      if (old === undefined) stdout.write(`+ ${type.name}\n`);
      else if (isObjectType(type) && isObjectType(old))
        for (const name of Object.keys(type.getFields()))
          if (old.getFields()[name] === undefined) stdout.write(`+ ${type.name}.${name}\n`);
    }
  },
});

const base = localVerb({
  summary: 'Print our shared types and the keys of our entities, for the SDL of a subgraph of your own.',
  takes: [],
  options: {},
  async run({ stdout }) {
    const shared = parse(readSharedSdl()).definitions.filter(isTypeDefinitionNode);
    const entities = [...readOwnGraph().values()]
      .flatMap((sdl) => parse(sdl).definitions)
      .filter((each) => each.kind === Kind.OBJECT_TYPE_DEFINITION)
      .filter(({ directives }) => directives?.some(({ name }) => name.value === 'key'))
      .map(({ name }) => name.value);
    const stubs = [...new Set(entities)].sort().map((name) => `type ${name} @key(fields: "id") {\n  id: ID!\n}`);
    const parts = [
      '# Take what you need: see docs/extending.md.',
      'extend schema\n  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@external", "@key", "@listSize", "@shareable"])',
      ...shared.map((type) => print(type)),
      ...stubs,
    ];
    stdout.write(`${parts.join('\n\n')}\n`);
  },
});

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { wrong } = unusableFile([], path, error);
    throw new CommandFailure(`${path} ${wrong}`);
  }
}

export const subgraphs: Noun = { check, base };

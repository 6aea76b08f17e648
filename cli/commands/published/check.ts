// `tidegate published check SCHEMA`: whether a schema would break published operations.
import { readFile } from 'node:fs/promises';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, exitCodes } from '../../failures.ts';
import { readAll, readPages } from '../../pages.ts';
import { remoteVerb } from '../../remote-verb.ts';

const document = graphql(`
  query PublishedTexts($first: Int, $after: String) {
    publishedOperations(first: $first, after: $after) {
      nodes { hash name text }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const check = remoteVerb({
  summary: 'Name each published operation that the schema in a file would break; then the exit code is 2.',
  takes: ['SCHEMA'],
  options: {},
  async run({ client, options, names, printer }) {
    const schema = await readSchema(names[0]);
    const all = await readAll(readPages(client, document, {}, ({ publishedOperations }) => publishedOperations));
    const broken = all.flatMap(({ hash, name, text }) => {
      const faults = validate(schema, parse(text)).map(({ message }) => message);
      return faults.length === 0 ? [] : [{ name, hash, faults }];
    });
    if (options.json) await printer.json({ checked: all.length, broken });
    else {
      for (const { name, hash, faults } of broken)
        for (const fault of faults) await printer.line(`${name} ${hash}: ${fault}`);
      await printer.line(`${all.length} published operations checked`);
    }
    if (broken.length > 0)
      throw new CommandFailure(
        `${names[0]} breaks ${broken.length} of ${all.length} published operations`,
        exitCodes.differs,
      );
  },
});

async function readSchema(path: string): Promise<GraphQLSchema> {
  try {
    return buildSchema(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CommandFailure(`${path} is not a schema: ${error instanceof Error ? error.message : String(error)}`);
  }
}

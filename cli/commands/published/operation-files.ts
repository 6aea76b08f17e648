// Reads operations from files: GraphQL, Apollo's manifest, and the JSON of GraphQL Codegen and Relay with hashes and texts.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type DefinitionNode, type FragmentDefinitionNode, Kind, parse, print, visit } from 'graphql';
import { z } from 'zod';
import { CommandFailure } from '../../failures.ts';

export interface FileOperation {
  readonly text: string;
  readonly hash: string;
}

const apolloFormat = 'apollo-persisted-query-manifest';
const apolloShape = z.object({
  format: z.literal(apolloFormat),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});
const textsShape = z.record(z.string(), z.string());

const digest = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

/** Throws CommandFailure with the name of the file. */
export async function readOperations(path: string): Promise<readonly FileOperation[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(`${path} can't be read: ${error.code ?? String(error)}`);
  });
  try {
    return path.endsWith('.json') ? fromJson(text) : fromGraphql(text);
  } catch (error) {
    throw new CommandFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fromJson(text: string): readonly FileOperation[] {
  const value: unknown = JSON.parse(text);
  if ((value as { readonly format?: unknown } | null)?.format !== undefined) {
    const manifest = apolloShape.safeParse(value);
    if (manifest.success) return manifest.data.operations.map(({ id, body }) => withHash(id, body));
    throw new Error(
      `this is not a manifest of the format ${apolloFormat}, version 1: ${z.prettifyError(manifest.error)}`,
    );
  }
  const texts = textsShape.safeParse(value);
  if (texts.success) return Object.entries(texts.data).map(([hash, each]) => withHash(hash, each));
  throw new Error(`give an object of hashes and texts, or a manifest of the format ${apolloFormat}`);
}

/** Clients send the hash, so it must be the one under which the operation is published. */
function withHash(given: string, text: string): FileOperation {
  const hash = digest('sha256', text);
  const plain = given.replace(/^sha256:/, '');
  if (plain === hash) return { text, hash };
  const other = ['md5', 'sha1'].find((algorithm) => digest(algorithm, text) === plain);
  if (other !== undefined)
    throw new Error(
      `${given} is the ${other.toUpperCase()} of its text; only SHA-256 is taken: set that in your compiler`,
    );
  throw new Error(`${given} is not the SHA-256 of its text, which is ${hash}: generate the file again`);
}

/** A file with one operation is used unchanged. If there are several, each is printed with its fragments. */
function fromGraphql(text: string): readonly FileOperation[] {
  const { definitions } = parse(text);
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 0) throw new Error('there is no operation in it');
  const fragments = new Map(
    definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [])),
  );
  const texts = operations.length === 1 ? [text] : operations.map((each) => printed(each, fragments));
  return texts.map((each) => ({ text: each, hash: digest('sha256', each) }));
}

function printed(operation: DefinitionNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): string {
  const used = new Set<FragmentDefinitionNode>();
  const follow = (definition: DefinitionNode): void => {
    visit(definition, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment === undefined) throw new Error(`the fragment ${name.value} is not in the file`);
        if (used.has(fragment)) return;
        used.add(fragment);
        follow(fragment);
      },
    });
  };
  follow(operation);
  return [operation, ...used].map((each) => print(each)).join('\n\n');
}

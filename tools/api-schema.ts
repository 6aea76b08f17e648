// schema/api.graphql: the graph as a client sees it, sorted and without descriptions except the terms of mutations, so that each change
// of it shows in a review.
// generated/public.graphql: the same without the root fields of administrators and machines. It is not in git; a release has it beside its archive.
import { writeFileSync } from 'node:fs';
import { type ASTNode, Kind, print, type StringValueNode, visit } from 'graphql';
import { type Audience, clientDocument } from '../platform/graph/client-sdl.ts';
import { apiSchemaPath, publicSchemaPath, readSupergraph } from '../platform/graph/generated-schema.ts';
import { termsIn, termsSentence } from '../platform/graph/terms.ts';

const header =
  '# Made by `npm run compose`. The meaning of a type or field is in schema/NAME.graphql or subgraphs/NAME/spec/.';
const lists: ReadonlySet<string> = new Set(['definitions', 'fields', 'values', 'types', 'interfaces', 'arguments']);

/** What `apiSchemaOf` has, and `@semanticNonNull`, which graphql-js does not print. */
export function apiSchemaText(supergraphSdl: string, audience: Audience = 'admin'): string {
  const schema = visit(clientDocument(supergraphSdl, audience), { enter: withoutDescription });
  return `${header}\n\n${print(schema)}\n`;
}

function withoutDescription(node: ASTNode): ASTNode {
  const sorted = Object.entries(node)
    .filter(([key]) => lists.has(key))
    .map(([key, items]) => [key, (items as readonly ASTNode[]).toSorted(byName)]);
  return { ...node, ...Object.fromEntries(sorted), description: termsOnly(node) };
}

function termsOnly(node: ASTNode): StringValueNode | undefined {
  const terms = node.kind === Kind.FIELD_DEFINITION ? termsIn(node.description?.value) : undefined;
  return terms && { kind: Kind.STRING, value: termsSentence(terms) };
}

function byName(a: ASTNode, b: ASTNode): number {
  return nameOf(a) < nameOf(b) ? -1 : Number(nameOf(a) > nameOf(b));
}

function nameOf(node: ASTNode): string {
  return ('name' in node ? node.name?.value : undefined) ?? '';
}

if (import.meta.main) {
  const supergraph = readSupergraph();
  const write = (path: string, audience: Audience) =>
    writeFileSync(new URL(`../${path}`, import.meta.url), apiSchemaText(supergraph, audience));
  write(apiSchemaPath, 'admin');
  write(publicSchemaPath, 'public');
}

// Rules for published texts: one named operation with its fragments.
import { createHash } from 'node:crypto';
import { GraphQLError, Kind, type OperationDefinitionNode, parse } from 'graphql';
import type { PublishedOperationType } from '../../../../generated/graph/system.ts';

const mostTextBytes = 65_536;
const mostTokens = 20_000;
const longestName = 255;

interface ReadText {
  readonly hash: string;
  readonly textBytes: number;
  readonly name: string;
  readonly operationType: PublishedOperationType;
}

/** Returns a text if it can't be published: the reason, as a sentence without its subject. */
export function readText(text: string): ReadText | string {
  const textBytes = Buffer.byteLength(text);
  if (textBytes > mostTextBytes) return `has ${textBytes} bytes in UTF-8; at most ${mostTextBytes} are allowed`;
  const operation = operationIn(text);
  if (typeof operation === 'string') return operation;
  const name = operation.name?.value;
  if (name === undefined) return 'has an operation without a name; name it';
  if (name.length > longestName) return `has a name of ${name.length} characters; at most ${longestName} are allowed`;
  return {
    hash: hashOf(text),
    textBytes,
    name,
    operationType: operation.operation.toUpperCase() as PublishedOperationType,
  };
}

/** SHA-256, hexadecimal. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function operationIn(text: string): OperationDefinitionNode | string {
  try {
    const { definitions } = parse(text, { noLocation: true, maxTokens: mostTokens });
    const operations = definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    if (definitions.some(({ kind }) => kind !== Kind.OPERATION_DEFINITION && kind !== Kind.FRAGMENT_DEFINITION))
      return 'has a definition that is neither an operation nor a fragment; remove it';
    const [only, ...others] = operations;
    if (only !== undefined && others.length === 0) return only;
    return `has ${operations.length} operations; give exactly one`;
  } catch (error) {
    // A stack overflow for brackets that are nested too deep.
    return `is not a GraphQL document: ${error instanceof GraphQLError ? error.message.slice(0, 200) : 'it is nested too deep'}`;
  }
}

// The faults of a document, or of its variables, as clients see them.
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { withoutValues } from './without-values.ts';

/** The faults of a document for the answer: without its nodes, which would hold the whole document in memory. */
export type GraphqlDocumentFault = Pick<GraphQLFormattedError, 'message' | 'locations'> & {
  readonly extensions: { readonly code: string };
};

/** A document that does not parse or is not valid for the schema, or variables that do not match the document. */
export class InvalidGraphqlDocument extends Error {
  readonly faults: readonly GraphqlDocumentFault[];

  constructor(faults: readonly GraphqlDocumentFault[]) {
    super(faults.map(({ message }) => message).join('; '));
    this.name = 'InvalidGraphqlDocument';
    this.faults = faults;
  }

  static of(errors: readonly GraphQLError[], code = 'GRAPHQL_VALIDATION_FAILED'): InvalidGraphqlDocument {
    return new InvalidGraphqlDocument(
      errors.map(({ message, locations }) => ({
        message: shortened(withoutValues(message)),
        ...(locations === undefined ? {} : { locations }),
        extensions: { code },
      })),
    );
  }
}

/** Messages quote names of the document, which may be as long as the document. */
const mostMessage = 500;

function shortened(message: string): string {
  return message.length <= mostMessage ? message : `${message.slice(0, mostMessage)} …`;
}

// Parsed and validated GraphQL documents by their text: a gateway sends the same few hundred, and both steps are expensive.
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import { heldBytes } from '../values/held-bytes.ts';

/** Of a document and its plan, which is held as long (compiled-queries/): measured, the plan takes 1.1 times as much. */
const plannedSize = 2.1;

export class GraphqlDocumentCache {
  readonly #schema: GraphQLSchema;
  readonly #documents: LRUCache<string, DocumentNode>;

  constructor(schema: GraphQLSchema, maxBytes = 32 * 1024 * 1024) {
    this.#schema = schema;
    this.#documents = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (document, text) => Math.ceil(plannedSize * heldBytes(document)) + heldBytes(text),
    });
  }

  /** Number and estimated size of the cached documents. */
  get bytes(): number {
    return this.#documents.calculatedSize;
  }

  /** The document, or its faults. */
  get(text: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#documents.get(text);
    if (known !== undefined) return known;
    let document: DocumentNode;
    try {
      document = parse(text, { noLocation: true });
    } catch (error) {
      return [error instanceof GraphQLError ? error : new GraphQLError(String(error))];
    }
    const errors = validate(this.#schema, document);
    if (errors.length > 0) return errors;
    this.#documents.set(text, document);
    return document;
  }
}

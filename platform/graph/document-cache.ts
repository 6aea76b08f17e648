// Parsed and validated documents by their text: a gateway sends the same few hundred, and neither step is cheap.
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { LruCache } from './lru-cache.ts';

export class DocumentCache {
  readonly #schema: GraphQLSchema;
  readonly #documents: LruCache<string, DocumentNode>;

  constructor(schema: GraphQLSchema, maxEntries = 1000) {
    this.#schema = schema;
    this.#documents = new LruCache(maxEntries);
  }

  /** The document, or why it is none. */
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

// The errors of an execution. One below a place that is null already, for another error, is dropped: nobody would see its field.
import type { GraphQLError, ResponsePath } from 'graphql';

export class CollectedErrors {
  readonly all: GraphQLError[] = [];
  /** Of the places that are null; undefined is the whole answer. */
  readonly #nulled = new Set<ResponsePath | undefined>();

  add(error: unknown, path: ResponsePath | undefined): void {
    if (this.#nulled.size > 0) {
      for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return;
      if (this.#nulled.has(undefined)) return;
    }
    this.#nulled.add(path);
    this.all.push(error as GraphQLError);
  }
}

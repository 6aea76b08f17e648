// A subgraph with published operations in memory, with the same interface to gateways as the system subgraph.
import { createHash, randomUUID } from 'node:crypto';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import type { Subgraph } from '../../../platform/graph/subgraph.ts';
import { requireGateway } from '../../../platform/input/authorise.ts';

export const publishedSdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@inaccessible"])
  type PublishedSet @inaccessible {
    revision: String!
    hashes: [String!]!
    operations(hashes: [String!]!): [PublishedText!]!
  }
  type PublishedText @inaccessible { hash: String! text: String! }
  type Query { publishedOperationSet: PublishedSet @inaccessible }`;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export class PublishedWorld {
  readonly #texts = new Map<string, string>();
  #revision = randomUUID();
  isLost = false;

  /** Returns the hash. */
  add(text: string): string {
    this.#texts.set(sha256(text), text);
    this.#revision = randomUUID();
    return sha256(text);
  }

  remove(hash: string): void {
    this.#texts.delete(hash);
    this.#revision = randomUUID();
  }

  subgraph(): Subgraph {
    const schema = buildSubgraphSchema([
      {
        typeDefs: parse(publishedSdl),
        resolvers: {
          Query: {
            publishedOperationSet: (_: unknown, _args: unknown, context: RequestContext) => {
              requireGateway(context);
              if (this.isLost) throw new Error('lost');
              return {
                revision: this.#revision,
                hashes: [...this.#texts.keys()],
                operations: ({ hashes }: { readonly hashes: readonly string[] }) =>
                  hashes.flatMap((hash) => {
                    const text = this.#texts.get(hash);
                    return text === undefined ? [] : [{ hash, text }];
                  }),
              };
            },
          },
        },
      },
    ]);
    return { name: 'published', schema };
  }
}

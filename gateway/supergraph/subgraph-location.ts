// Locations of subgraphs, and the links to those in use. Versions of the graph with the same location share one link, so that a change elsewhere in
// the graph interrupts nothing.
import type { Logger } from 'pino';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { MutualTls } from '../../platform/machines/tls.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { HttpLink } from './http-link.ts';
import { InProcessLink } from './in-process-link.ts';
import type { ProofCounts } from './place-proofs.ts';
import type { SubgraphLink } from './subgraph-link.ts';

/** Location of a subgraph: in this process, or at origins such as https://relay.internal:4102. */
export type SubgraphLocation = { readonly queryDeadlineMs?: number } & (
  | { readonly subgraph: Subgraph }
  | {
      readonly name: string;
      readonly urls: readonly [string, ...string[]];
      /** One of the processes is used until it fails. Default: requests are spread over all. */
      readonly oneAtATime?: boolean;
      readonly tls?: MutualTls;
      /** PEM text of the authority of its certificate. Default: the system's authorities. */
      readonly ca?: string;
      /** Whether another team runs it. Default: no. */
      readonly isOutside?: boolean;
    }
);

type RemoteLocation = Exclude<SubgraphLocation, { readonly subgraph: Subgraph }>;

interface SubgraphLinksOptions {
  /** Keys that sign requests to subgraphs at other places. Not needed if there are none. */
  readonly signingKeys: SigningKeys | undefined;
  /** Default for subgraphs whose location gives none. */
  readonly queryDeadlineMs: number;
  /** For subgraphs over HTTP. */
  readonly mutationDeadlineMs: number;
  readonly log: Logger;
  readonly proofCounts?: ProofCounts;
}

interface UsedLink {
  readonly link: SubgraphLink;
  users: number;
}

export class SubgraphLinks {
  readonly #options: SubgraphLinksOptions;
  readonly #remote = new Map<string, UsedLink>();

  constructor(options: SubgraphLinksOptions) {
    this.#options = options;
  }

  /** Must be given back. Throws when there is no signing key. */
  take(location: SubgraphLocation): SubgraphLink {
    const { log, queryDeadlineMs } = this.#options;
    if ('subgraph' in location)
      return new InProcessLink(location.subgraph, log, location.queryDeadlineMs ?? queryDeadlineMs);
    const key = keyOf(location);
    const used = this.#remote.get(key) ?? { link: this.#open(location), users: 0 };
    this.#remote.set(key, used);
    used.users += 1;
    return used.link;
  }

  /** Closes the link if nobody else uses it. */
  async give(location: SubgraphLocation, link: SubgraphLink): Promise<void> {
    if ('subgraph' in location) return link.close();
    const key = keyOf(location);
    const used = this.#remote.get(key);
    if (used === undefined) return;
    used.users -= 1;
    if (used.users > 0) return;
    this.#remote.delete(key);
    await used.link.close();
  }

  #open(location: RemoteLocation): SubgraphLink {
    const { signingKeys, ...options } = this.#options;
    if (signingKeys === undefined)
      throw new Error(
        `gateway: subgraph ${location.name} is at ${location.urls.join(', ')}, but there is no key to sign for it`,
      );
    return new HttpLink({ signingKeys, ...options, ...location });
  }
}

export function nameOf(location: SubgraphLocation): string {
  return 'subgraph' in location ? location.subgraph.name : location.name;
}

/** Whether both are the same place, so that they share a link. */
export function isSameLocation(one: SubgraphLocation, other: SubgraphLocation): boolean {
  if ('subgraph' in one || 'subgraph' in other)
    return 'subgraph' in one && 'subgraph' in other && one.subgraph === other.subgraph;
  return keyOf(one) === keyOf(other);
}

/** Leaves out mutual TLS, which is the same for the whole process. */
function keyOf({ name, urls, oneAtATime, queryDeadlineMs, tls, ca, isOutside }: RemoteLocation): string {
  return JSON.stringify([name, urls, oneAtATime, queryDeadlineMs, tls !== undefined, ca ?? null, isOutside === true]);
}

// Two small subgraphs. `alpha` owns things and their stream, and `beta` knows the price of a thing.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import type { GatewayContext } from '../../../gateway/supergraph/subgraph-link.ts';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import { CodedError } from '../../../platform/errors/errors.ts';
import { facet, withFacets } from '../../../platform/events/facets.ts';
import { withPositions } from '../../../platform/graph/execution.ts';
import { ipOrCidrScalar } from '../../../platform/graph/scalars.ts';
import type { Subgraph } from '../../../platform/graph/subgraph.ts';
import { loader } from '../../../platform/pages/loader.ts';
import { mapStream } from '../../../platform/work/pull-stream.ts';
import { EventLog, type FeedItem, positionIn } from './event-log.ts';

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])';

export const alphaSdl = `${link}
  scalar IpOrCidr
  interface Node { id: ID! }
  type Thing implements Node @key(fields: "id") { id: ID! name: String! parent: Thing }
  type ThingConnection { nodes: [Thing!]! }
  type ThingFeedItem { cursor: String! thing: Thing }
  type Query {
    thing(id: ID!): Thing
    node(id: ID!): Node
    things(first: Int = 50): ThingConnection!
    caller: String
    requestId: String
    callerRequestId: String
    clientAddress: String
    traceparent: String
    address(address: IpOrCidr!): String
    coded: String
    buggy: String
    slow: String
  }
  type Mutation { thingCreate(name: String!): Thing login(name: String!): String }
  type Subscription {
    thingChanges(prefix: String, after: String): ThingFeedItem!
    otherChanges(after: String): ThingFeedItem!
    kindChanges(kinds: [String!], owner: ID, mark: MarkInput, after: String): ThingFeedItem!
  }
  input MarkInput { space: String = "usual", id: String! }`;

export const betaSdl = `${link}
  type Thing @key(fields: "id") { id: ID! price: Int discount(percent: Int!): Float }
  type Query { prices: [Int!] }
  type Mutation { priceSet(id: ID!, price: Int!): Int slowSet: Int }`;

/** The state that a test reads and sets. */
export class World {
  readonly log = new EventLog();
  readonly prices = new Map<string, number>();
  /** Resolver calls by name. */
  readonly calls = new Map<string, number>();
  /** Keys of each batch that beta loaded. */
  readonly batches: string[][] = [];
  /** The price of a thing waits for this promise. */
  beforePrice: (id: string) => Promise<void> = async () => {};
  /** The number of waiting prices. */
  waiting = 0;
  /** Resolves slow resolvers. */
  release: () => void = () => {};
  slowDone = 0;

  called(name: string): void {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
  }

  totalCalls(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  async slow(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.release = resolve;
    });
    this.slowDone += 1;
  }
}

const thing = (id: string) => ({ __typename: 'Thing', id, name: `thing ${id}`, parent: () => thing(`${id}p`) });
const priceOf = Symbol('price');

/** In the filtered feed, a thing's id is kind:owner:name. */
function partsOf(thingId: string): { readonly kind: string; readonly owner: string } {
  const [kind = '', owner = ''] = thingId.split(':');
  return { kind, owner };
}

interface KindFilter {
  readonly kinds?: readonly string[];
  readonly owner?: string;
  readonly mark?: { readonly space: string; readonly id: string };
}

type After = { after?: string | null; prefix?: string | null };

export function makeSubgraphs(world: World): { readonly alpha: Subgraph; readonly beta: Subgraph } {
  const prices = (context: RequestContext, id: string) =>
    loader(context, priceOf, id, async (ids) => {
      world.batches.push([...ids]);
      return world.prices;
    });
  const alpha = buildSubgraphSchema([
    {
      typeDefs: parse(alphaSdl),
      resolvers: {
        IpOrCidr: ipOrCidrScalar,
        Query: {
          thing: (_: unknown, { id }: { id: string }) => {
            world.called('thing');
            return thing(id);
          },
          node: (_: unknown, { id }: { id: string }) => thing(id),
          things: (_: unknown, { first }: { first: number }) => {
            world.called('things');
            return { nodes: Array.from({ length: first }, (_item, index) => thing(String(index))) };
          },
          caller: (_: unknown, _args: unknown, context: RequestContext) => context.identity?.name ?? 'nobody',
          requestId: (_: unknown, _args: unknown, context: RequestContext) => context.requestId,
          traceparent: (_: unknown, _args: unknown, context: GatewayContext) => context.trace?.traceparent ?? null,
          clientAddress: (_: unknown, _args: unknown, context: RequestContext) => context.clientAddress ?? null,
          callerRequestId: (_: unknown, _args: unknown, context: RequestContext) => context.callerRequestId ?? null,
          address: (_: unknown, { address }: { address: string }) => address,
          coded: () => {
            throw new CodedError('FORBIDDEN', 'Not for you.');
          },
          buggy: () => {
            throw new Error('secret inner text');
          },
          slow: async () => {
            world.called('slow');
            await world.slow();
            return 'slow';
          },
        },
        Mutation: {
          thingCreate: (_: unknown, { name }: { name: string }) => {
            world.called('thingCreate');
            world.log.append(name);
            return thing(name);
          },
          login: (_: unknown, { name }: { name: string }) => `token of ${name}`,
        },
        Subscription: {
          thingChanges: {
            subscribe: (_: unknown, { after, prefix }: After) =>
              world.log.subscribe(after, (event) => event.thingId.startsWith(prefix ?? '')),
            resolve: (item: unknown) => item,
          },
          kindChanges: {
            subscribe: (_: unknown, { after, kinds, owner, mark }: After & KindFilter) => {
              world.called('kindChanges');
              if (kinds?.includes('none') === true) throw new CodedError('INVALID_INPUT', 'There is no kind none.');
              const items = world.log.subscribe(after, ({ thingId }) => {
                const is = partsOf(thingId);
                const isMarked = mark == null || (mark.space === 'usual' && mark.id === is.owner);
                return isMarked && (kinds == null || kinds.includes(is.kind)) && (owner == null || owner === is.owner);
              });
              return mapStream(items as AsyncGenerator<FeedItem, void, void>, (item) => {
                if (item.thing === null) return withFacets(item, null);
                const { kind, owner } = partsOf(item.thing.id);
                const mark = facet('mark', { id: owner, space: 'usual' });
                return withFacets(item, [facet('kinds', kind), facet('owner', owner), mark]);
              });
            },
            resolve: (item: unknown) => {
              world.called('kindChanges item');
              return item;
            },
          },
          otherChanges: {
            subscribe: (_: unknown, { after }: After) => world.log.subscribe(after, () => true),
            resolve: (item: unknown) => item,
          },
        },
        Thing: {
          __resolveReference: ({ id }: { id: string }) => thing(id),
          name: ({ id }: { id: string }) => {
            if (id.startsWith('unreadable')) throw new CodedError('UNAVAILABLE', 'The name is away.');
            return `thing ${id}`;
          },
        },
      },
    },
  ]);
  const beta = buildSubgraphSchema([
    {
      typeDefs: parse(betaSdl),
      resolvers: {
        Query: { prices: () => [...world.prices.values()] },
        Mutation: {
          priceSet: (_: unknown, { id, price }: { id: string; price: number }) => {
            world.called('priceSet');
            world.prices.set(id, price);
            return price;
          },
          slowSet: async () => {
            world.called('slowSet');
            await world.slow();
            return 1;
          },
        },
        Thing: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          price: async ({ id }: { id: string }, _args: unknown, context: RequestContext) => {
            world.waiting += 1;
            await world.beforePrice(id).finally(() => {
              world.waiting -= 1;
            });
            return (await prices(context, id)) ?? null;
          },
          discount: async ({ id }: { id: string }, { percent }: { percent: number }, context: RequestContext) =>
            ((await prices(context, id)) ?? 0) * (1 - percent / 100),
        },
      },
    },
  ]);
  return { alpha: { name: 'alpha', schema: withPositions(alpha, positionIn) }, beta: { name: 'beta', schema: beta } };
}

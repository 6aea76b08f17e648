// Subgraphs that answer more than they are asked: each object in an answer, including entities, gets values for fields that were not
// requested. The executor's answer must be the same as without them.
import { type DocumentNode, type FormattedExecutionResult, Kind, type SelectionSetNode } from 'graphql';
import type { GatewayContext, LinkRequest, SubgraphLink } from '../../gateway/supergraph/subgraph-link.ts';
import type { World } from './world.ts';

const lying = new WeakSet<GatewayContext>();

/** In the execution with this context, all subgraphs lie. */
export function letLie<Context extends GatewayContext>(context: Context): Context {
  lying.add(context);
  return context;
}

export function isLying(context: GatewayContext): boolean {
  return lying.has(context);
}

/** The world, with wrong links where that is allowed. */
export function withLies(world: World): World {
  const links = [...world.links].map(([name, link]) => [name, new LyingLink(link, world.names)] as const);
  return { ...world, links: new Map(links) };
}

class LyingLink implements SubgraphLink {
  readonly name: string;
  readonly #link: SubgraphLink;
  readonly #names: readonly string[];

  constructor(link: SubgraphLink, names: readonly string[]) {
    this.name = link.name;
    this.#link = link;
    this.#names = names;
  }

  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const result = await this.#link.execute(request);
    if (isLying(request.context)) this.#forge(result.data, rootsOf(request.document), request.document);
    return result;
  }

  subscribe(request: LinkRequest) {
    return this.#link.subscribe(request);
  }

  ready(): Promise<boolean> {
    return this.#link.ready();
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Values that were requested stay unchanged. */
  #forge(value: unknown, sets: readonly SelectionSetNode[], document: DocumentNode): void {
    if (Array.isArray(value)) for (const item of value) this.#forge(item, sets, document);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const object = value as Record<string, unknown>;
    const below = setsBelow(sets, document);
    for (const [name, deeper] of below) this.#forge(object[name], deeper, document);
    for (const [index, name] of ['forged', ...this.#names].entries())
      if (object[name] === undefined) object[name] = forgeries[index % forgeries.length];
  }
}

const forgeries: readonly unknown[] = [
  'forged',
  666,
  { __typename: 'Product', id: 'product-0', name: 'forged' },
  [{ __typename: 'User', id: 'user-0', name: 'forged' }, null],
  true,
  null,
];

function rootsOf({ definitions }: DocumentNode): readonly SelectionSetNode[] {
  return definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each.selectionSet] : []));
}

/** By response name. */
function setsBelow(sets: readonly SelectionSetNode[], document: DocumentNode): Map<string, SelectionSetNode[]> {
  const found = new Map<string, SelectionSetNode[]>();
  const look = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) look(selection.selectionSet);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        for (const each of document.definitions)
          if (each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value)
            look(each.selectionSet);
      } else if (selection.selectionSet !== undefined) {
        const name = selection.alias?.value ?? selection.name.value;
        found.set(name, [...(found.get(name) ?? []), selection.selectionSet]);
      }
    }
  };
  for (const set of sets) look(set);
  return found;
}

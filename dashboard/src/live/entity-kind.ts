// An entity kind is a row: what a page asks of such an entity, how news of it are taken in, and what it is called. A page
// names its kinds (page.ts); the store, the subscription and the feed know no other.
import type { DashboardStartQuery, StatusChangeFieldsFragment } from '../../../generated/dashboard/graphql.ts';
import type { Document } from '../graph/request.ts';

export interface Entity {
  readonly __typename: string;
  readonly id: string;
  readonly version: number;
}

/** By id. */
export type Entities<Kind extends Entity> = ReadonlyMap<string, Kind>;

/** Which entities are kept before others when there are too many. */
export type Preference<Kind extends Entity> = (entity: Kind) => boolean;

export interface EntityKind<Kind extends Entity> {
  /** As in the graph. */
  readonly typename: Kind['__typename'];
  /** One fragment on the type, standing alone, with `__typename`, `id` and `version`. */
  readonly fragment: Document<Kind, unknown>;
  /** The parameter of the query string that names the one whose drawer is open. */
  readonly openParameter: string;
  /** True: a change that comes without its subject is a reason to read the lists again. */
  readonly isReadAgain: boolean;
  /** The kind of change that says nothing more than its new status; the feed leaves its name out. */
  readonly plainChange?: string;
  /** What is known afterwards, bounded; news of an old version are dropped. See merge.ts for what most kinds need. */
  merge(known: Entities<Kind>, news: readonly Kind[], prefer: Preference<Kind>): Entities<Kind>;
  /** What it is called in a line of the feed. */
  label(entity: Kind): string;
}

export type AnyKind = EntityKind<Entity>;

/** Who is logged in. */
export type Viewer = DashboardStartQuery['me'];

/** A change without its subject. */
export type Change = StatusChangeFieldsFragment;

export interface StatusChange extends Change {
  /** Null when it is gone or its subgraph is away; without an id when it is of a kind that the page does not ask for. */
  readonly subject: Entity | { readonly __typename: string; readonly id?: undefined } | null;
}

export interface FeedItem {
  readonly cursor: string;
  /** Null: a checkpoint. */
  readonly change: StatusChange | null;
}

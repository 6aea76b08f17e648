// An entity kind is a row: its fragment, how updates are merged, and its label. A page lists its kinds (page.ts); the store, the
// subscription and the feed know no others.
import type { DashboardStartQuery, StatusChangeFieldsFragment } from '../../../generated/dashboard/graphql.ts';
import type { GraphqlDocument } from '../graph/request.ts';

export interface Entity {
  readonly __typename: string;
  readonly id: string;
  readonly version: number;
}

/** By id. */
export type Entities<Kind extends Entity> = ReadonlyMap<string, Kind>;

/** The entities to keep when there are too many. */
export type Preference<Kind extends Entity> = (entity: Kind) => boolean;

export interface EntityKind<Kind extends Entity> {
  /** The type's name in the graph. */
  readonly typename: Kind['__typename'];
  /** One self-contained fragment on the type, with `__typename`, `id` and `version`. */
  readonly fragment: GraphqlDocument<Kind, unknown>;
  /** The query parameter that names the entity with the open drawer. */
  readonly openParameter: string;
  /** Whether a change without its subject causes the lists to be read again. */
  readonly isReadAgain: boolean;
  /** The kind of change that only announces a new status; the feed leaves out its name. */
  readonly plainChange?: string;
  /** The known entities afterwards, bounded; updates with an old version are dropped. merge.ts has what most kinds need. */
  merge(known: Entities<Kind>, news: readonly Kind[], prefer: Preference<Kind>): Entities<Kind>;
  /** Its name in a line of the feed. */
  label(entity: Kind): string;
  /** The object whose part it is: the feed folds their changes together. */
  ownerId?(entity: Kind): string;
}

export type AnyKind = EntityKind<Entity>;

/** A type whose changes a page shows without having its entities. */
export interface OtherSubject {
  /** The type's name in the graph. */
  readonly typename: string;
  /** The kind's word in a line of the feed. */
  readonly word: string;
  /** The field with its name. Default: it has none that the graph gives. */
  readonly nameField?: string;
  /** The field with the object that it belongs to. Its name is shown if the subject has none. */
  readonly ofField?: string;
  /** The type name of the page's kind that has the same id: a click opens that entity. Default: nothing is opened. */
  readonly opens?: string;
}

/** The subjects whose changes a page shows, in its stream and its history. */
export interface Subjects {
  readonly kinds: readonly AnyKind[];
  readonly others?: readonly OtherSubject[];
  /** Kinds of events. Default: all of its types of subjects. */
  readonly eventKinds?: readonly string[];
}

/** The logged-in user. */
export type Viewer = DashboardStartQuery['me'];

/** A change without its subject. */
export type Change = StatusChangeFieldsFragment;

export interface StatusChange extends Change {
  /** Null when it is gone or its subgraph is not available; without an id when the page does not select its type. */
  readonly subject:
    | Entity
    | {
        readonly __typename: string;
        readonly id?: undefined;
        readonly subjectName?: string | null;
        readonly subjectOf?: { readonly id: string; readonly name: string } | null;
      }
    | null;
}

export interface FeedItem {
  readonly cursor: string;
  readonly kind: 'CHECKPOINT' | 'CREATED' | 'UPDATED' | 'DELETED';
  /** Null for a checkpoint. */
  readonly change: StatusChange | null;
}

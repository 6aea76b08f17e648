// What a page is: its entity kinds, how its lists are read, and what is drawn. The shell (app.tsx) gives it the rest: login,
// store, subscription, history, header, keys. See ../README.md for how to add one.
import type { ComponentType } from 'react';
import type { Requester } from './graph/request.ts';
import type { AnyKind, Entity } from './live/entity-kind.ts';
import type { LiveStore } from './live/live-store.ts';

export interface Page {
  readonly kinds: readonly AnyKind[];
  /** Reads the lists that the page begins with, bounded: entities of its kinds in any order. */
  readonly read: (requester: Requester) => Promise<readonly Entity[]>;
  /**
   * Reads what no status change tells. It is called every 5 s while the page is visible and connected; `round` counts from 1.
   * What it throws is dropped: the next round tries again.
   */
  readonly poll?: (live: PolledPage, round: number) => Promise<void>;
  readonly keys: PageKeys;
  readonly Content: ComponentType;
}

export interface PolledPage {
  readonly store: LiveStore;
  readonly requester: Requester;
  readonly signal: AbortSignal;
}

/** The keys that are the page's own. */
export interface PageKeys {
  /** Name of the list where j and k begin, see row-list.tsx. */
  readonly firstList: string;
  readonly groups: readonly {
    /** What the keys of this group go to, for the help. */
    readonly does: string;
    /** Key to the selector of what gets the focus. */
    readonly focus: Readonly<Record<string, string>>;
  }[];
}

/** A line of pages.ts. */
export interface PageRow {
  /** The folder's name below pages/, and the path in the URL. */
  readonly name: string;
  /** In the header's list of pages. */
  readonly title: string;
  readonly load: () => Promise<{ readonly page: Page }>;
}

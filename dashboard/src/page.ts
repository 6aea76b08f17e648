// A page: its entity kinds, how its lists are read, and its component. The shell (app.tsx) provides login, store, subscription,
// history, header and keys. ../README.md explains how to add one.
import type { ComponentType } from 'react';
import type { Requester } from './graph/request.ts';
import type { Entity, Subjects } from './live/entity-kind.ts';
import type { LiveStore } from './live/live-store.ts';

export interface Page extends Subjects {
  /** Reads the page's initial lists, bounded: entities of its kinds in any order. */
  readonly read: (requester: Requester) => Promise<readonly Entity[]>;
  /**
   * Reads values that have no status change. It is called every 5 s while the page is visible and connected; `round` counts from
   * 1. Errors are dropped: the next round tries again.
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

/** The page's own keys. */
export interface PageKeys {
  /** Name of the list where j and k start, see row-list.tsx. */
  readonly firstList: string;
  readonly groups: readonly {
    /** The keys' targets, for the help. */
    readonly does: string;
    /** Selector of the focused element, by key. */
    readonly focus: Readonly<Record<string, string>>;
  }[];
}

/** A line of pages.ts. */
export interface PageRow {
  /** The folder below pages/. */
  readonly name: string;
  /** In the URL. Default: a slash and the name. */
  readonly path?: string;
  /** Whether the header's list of pages has it: not if it shows one object that another page leads to. Default: true. */
  readonly isListed?: boolean;
  /** Whether it is less used: in the header it is in the menu `More`, except on wide screens. Default: false. */
  readonly isInMenu?: boolean;
  /** Shown in the header's list of pages, and in titles. */
  readonly title: string;
  readonly load: (requester: Requester) => Promise<{ readonly page: Page }>;
  /** Whether this deployment has the data of the page: otherwise the header has no link to it. Default: every deployment has it. */
  readonly isPresent?: (requester: Requester) => Promise<boolean>;
}

// The dependencies of components, passed down from main.tsx and, for an open page, from app.tsx.
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Requester } from './graph/request.ts';
import type { Entities, Entity, EntityKind } from './live/entity-kind.ts';
import { entitiesOf, type LiveState } from './live/live-state.ts';
import type { LiveStore } from './live/live-store.ts';
import type { Connection } from './live/liveness.ts';
import type { Page, PageRow } from './page.ts';
import type { Session } from './session/session.ts';
import type { Failure } from './view/refusal.tsx';

interface Dependencies {
  readonly session: Session;
  /** Why the one-time code of the link was refused. */
  readonly codeFailures: readonly Failure[];
  readonly requester: Requester;
  readonly pages: readonly PageRow[];
  /** ws: or wss: address of the graph. */
  readonly socketUrl: string;
}

interface PageDependencies {
  readonly page: Page;
  readonly store: LiveStore;
}

export const DependenciesContext = createContext<Dependencies | null>(null);
export const PageContext = createContext<PageDependencies | null>(null);

export function useDependencies(): Dependencies {
  return given(useContext(DependenciesContext), 'DependenciesContext');
}

export function usePage(): PageDependencies {
  return given(useContext(PageContext), 'PageContext');
}

export function useLiveState(): LiveState {
  const { store } = usePage();
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.state,
  );
}

/** All known entities of a kind. */
export function useEntities<Kind extends Entity>(kind: EntityKind<Kind>): Entities<Kind> {
  return entitiesOf(useLiveState(), kind);
}

export function useConnection(): Connection {
  const { store } = usePage();
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.connection,
  );
}

function given<Value>(value: Value | null, name: string): Value {
  if (value === null) throw new Error(`${name} has no value: render inside its provider`);
  return value;
}

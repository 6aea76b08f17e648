// The parts used by components, passed down from main.tsx and, for an open page, from app.tsx.
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Requester } from './graph/request.ts';
import type { Entities, Entity, EntityKind } from './live/entity-kind.ts';
import { entitiesOf, type LiveState } from './live/live-state.ts';
import type { LiveStore } from './live/live-store.ts';
import type { Connection } from './live/liveness.ts';
import type { Page, PageRow } from './page.ts';
import type { Session } from './session/session.ts';

export interface Parts {
  readonly session: Session;
  readonly requester: Requester;
  readonly pages: readonly PageRow[];
  /** ws: or wss: address of the graph. */
  readonly socketUrl: string;
}

export interface PageParts {
  readonly page: Page;
  readonly store: LiveStore;
}

export const PartsContext = createContext<Parts | null>(null);
export const PageContext = createContext<PageParts | null>(null);

export function useParts(): Parts {
  return given(useContext(PartsContext), 'PartsContext');
}

export function usePage(): PageParts {
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

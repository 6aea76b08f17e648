// The parts that components use, handed down from main.tsx.
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Requester } from './graph/request.ts';
import type { LiveState } from './live/live-state.ts';
import type { LiveStore } from './live/live-store.ts';
import type { Connection } from './live/liveness.ts';
import type { Session } from './session/session.ts';

export interface Parts {
  readonly session: Session;
  readonly requester: Requester;
  readonly store: LiveStore;
}

export const PartsContext = createContext<Parts | null>(null);

export function useParts(): Parts {
  const parts = useContext(PartsContext);
  if (parts === null) throw new Error('PartsContext has no value: render inside its provider');
  return parts;
}

export function useLiveState(): LiveState {
  const { store } = useParts();
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.state,
  );
}

export function useConnection(): Connection {
  const { store } = useParts();
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.connection,
  );
}

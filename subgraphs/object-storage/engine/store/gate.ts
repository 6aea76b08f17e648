// The gate of a scope: the register with the empty name. Its value decides whether other names of the scope may change. Containers have a
// gate; accounts (ring 0) have none.
import type { RegisterKey, StoredValue } from './register.ts';

export type GateState = 'OPEN' | 'SEALED' | 'DELETED';

export function hasGate({ ring, name }: Pick<RegisterKey, 'ring' | 'name'>): boolean {
  return ring !== 0 && name !== '';
}

export function isGate({ ring, name }: Pick<RegisterKey, 'ring' | 'name'>): boolean {
  return ring !== 0 && name === '';
}

export function gateOf({ ring, scope }: Pick<RegisterKey, 'ring' | 'scope'>): RegisterKey {
  return { ring, scope, name: '' };
}

/** An unreadable gate counts as sealed: nothing changes until someone has investigated. */
export function gateState(row: { readonly value: StoredValue | 'KEPT' | undefined } | undefined): GateState {
  if (row?.value === undefined) return 'OPEN';
  const state = row.value === 'KEPT' ? undefined : stateIn(row.value.head);
  return state === 'OPEN' || state === 'DELETED' ? state : 'SEALED';
}

function stateIn(head: string): unknown {
  try {
    return (JSON.parse(head) as { readonly state?: unknown } | null)?.state;
  } catch {
    return undefined;
  }
}

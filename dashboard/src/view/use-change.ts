// A mutation that returns the changed entity. The store takes the entity at once; the event follows in the feed.
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import { usePage } from '../context.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import type { Entity, EntityKind } from '../live/entity-kind.ts';
import { type MutationControl, useMutation } from './use-mutation.ts';

interface ChangeControl<Input, Payload> {
  readonly control: MutationControl<Input, Payload>;
  /** Resolves to whether the mutation succeeded. */
  readonly change: (input: Omit<Input, 'idempotencyKey'>) => Promise<boolean>;
}

/** `changed` picks the entity from the payload. */
export function useChange<
  Kind extends Entity,
  Input extends object,
  Payload extends { readonly userErrors: readonly RefusalFragment[] },
>(
  kind: EntityKind<Kind>,
  document: GraphqlDocument<Readonly<Record<string, Payload>>, { readonly input: Input }>,
  changed: (payload: Payload) => Kind | null,
): ChangeControl<Input, Payload> {
  const { store } = usePage();
  const control = useMutation(document);
  const change = async (input: Omit<Input, 'idempotencyKey'>): Promise<boolean> => {
    const payload = await control.send(input);
    if (payload === undefined) return false;
    const entity = changed(payload);
    if (entity !== null) store.take(kind, [entity]);
    return true;
  };
  return { control, change };
}

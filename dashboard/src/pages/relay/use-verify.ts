// Verifies again whether a backend object matches its mapping.
import { RelayVerifyDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { isMember } from '../../view/permissions.ts';
import type { Failure } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type Mapping, mappingKind } from './kinds/mapping.ts';

interface VerifyControl {
  readonly isAllowed: boolean;
  readonly isBusy: boolean;
  readonly failures: readonly Failure[];
  /** The mapping afterwards; undefined when the device could not be read. */
  readonly verify: () => Promise<Mapping | undefined>;
}

export function useVerify(mapping: Mapping): VerifyControl {
  const { store } = usePage();
  const { viewer } = useLiveState();
  const { isBusy, failures, send } = useMutation(RelayVerifyDocument);
  const verify = async (): Promise<Mapping | undefined> => {
    const payload = await send({ id: mapping.id });
    if (!payload?.mapping) return undefined;
    store.take(mappingKind, [payload.mapping]);
    return payload.mapping;
  };
  return { isAllowed: isMember(viewer, mapping.project?.id), isBusy, failures, verify };
}

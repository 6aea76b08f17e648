// Looks again whether a backend object is as its mapping has it.
import { useLiveState, useParts } from '../context.ts';
import { mappingVerifyMutation } from '../graph/documents.ts';
import type { Mapping, UserError } from '../graph/types.ts';
import { isMember } from './permissions.ts';
import type { Failure } from './refusal.tsx';
import { useMutation } from './use-mutation.ts';

export interface VerifyControl {
  readonly isAllowed: boolean;
  readonly isBusy: boolean;
  readonly failures: readonly Failure[];
  /** The mapping as it then is; undefined when nothing could be seen. */
  readonly verify: () => Promise<Mapping | undefined>;
}

export function useVerify(mapping: Mapping): VerifyControl {
  const { store } = useParts();
  const { viewer } = useLiveState();
  const { isBusy, failures, send } = useMutation<{
    readonly mapping: Mapping | null;
    readonly userErrors: readonly UserError[];
  }>(mappingVerifyMutation, 'mappingVerify');
  const verify = async (): Promise<Mapping | undefined> => {
    const payload = await send({ id: mapping.id });
    if (!payload?.mapping) return undefined;
    store.mappings([payload.mapping]);
    return payload.mapping;
  };
  return { isAllowed: isMember(viewer, mapping.project?.id), isBusy, failures, verify };
}

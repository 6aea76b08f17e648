// The alerts in some states, newest first, and when all lists of the page are read again.
import { useCallback } from 'react';
import { type AlertFieldsFragment, AlertsListDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { type Paged, usePaged } from '../../view/use-paged.ts';

export type Alert = AlertFieldsFragment;

/** Deliveries have no event. */
export const everyMs = 15_000;

/** Another text after each change. */
export function useNews(): string | undefined {
  return useLiveState().feed[0]?.id;
}

/** `states` must be the same in every render. */
export function useAlerts(projectId: string | null, states: readonly Alert['alertState'][]): Paged<Alert> {
  const { requester } = useDependencies();
  const readPage = useCallback(
    async (after: string | null) =>
      (await requester.request(AlertsListDocument, { projectId, states: [...states], after })).alerts,
    [requester, projectId, states],
  );
  return usePaged(readPage, useNews(), everyMs);
}

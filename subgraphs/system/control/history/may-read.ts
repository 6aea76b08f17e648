// Who sees the versions of an object's settings.
import { allows, type Identity } from '../../../../platform/caller/identity.ts';
import type { ConfigurationVersionRow } from '../../../../platform/graph/configuration-history.ts';
import { maySee } from '../../../../platform/input/authorise.ts';

/** The installation's objects are the administrators'; a channel's destination is the operators'. */
export function mayReadVersion(
  identity: Identity | null,
  { projectId, subject }: Pick<ConfigurationVersionRow, 'projectId' | 'subject'>,
): boolean {
  if (projectId === null) return identity?.admin === true;
  return subject === 'AlertChannel' ? allows(identity, projectId, 'OPERATOR') : maySee(identity, projectId);
}

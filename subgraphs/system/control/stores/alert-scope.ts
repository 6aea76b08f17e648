// Whose a rule, a channel or an alert is: a project's, or the installation's (null), which administrators alone see.
import { maySee } from '../../../../platform/edge/authorise.ts';
import type { Identity } from '../../../../platform/edge/identity.ts';

/** In place of a project: names are unique in it. */
const installationScope = '00000000-0000-0000-0000-000000000000';

/** `projectId`: UUID. */
export function scopeOf(projectId: string | null): string {
  return projectId ?? installationScope;
}

export function seesScope(identity: Identity, projectId: string | null): boolean {
  return projectId === null ? identity.admin : maySee(identity, projectId);
}

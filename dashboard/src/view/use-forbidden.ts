// Whether the viewer may act, with the reason if not.
import { useLiveState } from '../context.ts';
import { isMember } from './permissions.ts';

/** Why the viewer may not change objects of this project. Null if they may. */
export function useForbidden(projectId: string | undefined): string | null {
  const { viewer } = useLiveState();
  return isMember(viewer, projectId) ? null : 'Only members of its project can do this.';
}

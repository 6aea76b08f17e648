// The viewer's rights. The server decides; these only avoid refusals.
import type { Viewer } from '../live/entity-kind.ts';

type Role = Viewer['projects'][number]['role'];

/** Settling, accepting keys, closing circuits. */
export function isOperator(viewer: Viewer | null, projectId: string | undefined): boolean {
  return hasRole(viewer, projectId, ['OPERATOR']);
}

/** Reading backend objects. */
export function isMember(viewer: Viewer | null, projectId: string | undefined): boolean {
  return hasRole(viewer, projectId, ['OPERATOR', 'MEMBER']);
}

function hasRole(viewer: Viewer | null, projectId: string | undefined, roles: readonly Role[]): boolean {
  if (viewer === null) return false;
  return viewer.admin || viewer.projects.some(({ role, project }) => roles.includes(role) && project.id === projectId);
}

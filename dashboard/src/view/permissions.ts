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

/** Why an action with this role (schema/kinds) is not allowed; null if it is. Without a project: whether it may be in any. */
export function forbiddenBy(viewer: Viewer | null, role: string, projectId?: string): string | null {
  if (viewer === null) return 'Not known yet.';
  if (viewer.admin || !Object.hasOwn(ranks, role)) return null;
  if (role === 'ADMINISTRATOR') return 'Only an administrator may do this.';
  const inProjects = viewer.projects.filter(({ project }) => projectId === undefined || project.id === projectId);
  if (inProjects.some((each) => (ranks[each.role] ?? 0) >= (ranks[role] ?? 0))) return null;
  return `Only ${role === 'OPERATOR' ? 'an operator' : 'a member'} of its project may do this.`;
}

const ranks: Readonly<Record<string, number>> = { VIEWER: 1, MEMBER: 2, OPERATOR: 3, ADMINISTRATOR: 4 };

// Which project a request is about, and whether the caller may do it there. Another project's things do not exist.
import { refuse } from '../../platform/errors.ts';
import { allows, type Identity, type Role, visibleProjects } from '../../platform/identity.ts';
import { decodeUuid } from '../../platform/ids.ts';

/** The projects a request may be about: the one it names, else all that the caller sees. Refuses NOT_FOUND. */
export function projectsOf(identity: Identity | null, projectId: string | null | undefined): 'all' | readonly string[] {
  const visible = visibleProjects(identity);
  if (projectId == null) return visible;
  const uuid = decodeUuid('Project', projectId);
  if (uuid === undefined || (visible !== 'all' && !visible.includes(uuid)))
    refuse('NOT_FOUND', `no Project has the id ${JSON.stringify(projectId.slice(0, 80))}`, {
      field: ['input', 'projectId'],
    });
  return [uuid];
}

/** The one project that a request names or that the caller has. Refuses NOT_FOUND or PROJECT_REQUIRED. */
export function oneProject(identity: Identity | null, projectId: string | null | undefined): string {
  const projects = projectsOf(identity, projectId);
  const [only] = projects;
  if (projects !== 'all' && projects.length === 1 && only !== undefined) return only;
  refuse('PROJECT_REQUIRED', 'you have more than one project: name one with projectId', {
    field: ['input', 'projectId'],
  });
}

/** Refuses FORBIDDEN unless the caller holds the role in the project. */
export function requireRole(identity: Identity | null, projectId: string, role: Role, what: string): void {
  if (!allows(identity, projectId, role)) refuse('FORBIDDEN', `${what} needs the role ${role} in this project`);
}

/** True when the caller may see what belongs to the project. */
export function maySee(identity: Identity | null, projectId: string): boolean {
  return allows(identity, projectId, 'VIEWER');
}

/** The projects a query may be about; one that the caller may not see has nothing in it. */
export function projectsFor(
  identity: Identity | null,
  projectId: string | null | undefined,
): 'all' | readonly string[] {
  if (projectId == null) return visibleProjects(identity);
  const uuid = decodeUuid('Project', projectId);
  return uuid !== undefined && maySee(identity, uuid) ? [uuid] : [];
}

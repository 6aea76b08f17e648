// The first question of every resolver: who asks. Queries answer with top-level errors, mutations with `userErrors`.
import { CodedError, refuse } from '../../../platform/errors.ts';
import { allows, type Identity, type RequestContext } from '../../../platform/identity.ts';

/** The caller; throws UNAUTHENTICATED without one. */
export function caller(context: RequestContext): Identity {
  if (context.identity === null) throw new CodedError('UNAUTHENTICATED', 'Log in first: there is no valid login.');
  return context.identity;
}

/** For queries: throws FORBIDDEN unless the caller is an administrator. */
export function adminCaller(context: RequestContext): Identity {
  const identity = caller(context);
  if (!identity.admin) throw new CodedError('FORBIDDEN', 'Only administrators may read this.');
  return identity;
}

/** For mutations: refuses unless the caller is an administrator. */
export function refuseUnlessAdmin(identity: Identity): void {
  if (!identity.admin) refuse('FORBIDDEN', 'Only an administrator may do this.');
}

/** True when the caller may see the project. */
export function maySee(identity: Identity, projectId: string): boolean {
  return allows(identity, projectId, 'VIEWER');
}

/** Projects in which the caller is an operator; 'all' for an administrator. */
export function operatedProjects(identity: Identity): 'all' | readonly string[] {
  if (identity.admin) return 'all';
  return Object.keys(identity.projects).filter((project) => allows(identity, project, 'OPERATOR'));
}

/**
 * The projects a list is to show: the wanted one if it is among the caller's, else all of the caller's. Another project's,
 * or no project at all, shows nothing.
 */
export function narrow(
  visible: 'all' | readonly string[],
  wanted: string | null | undefined,
): 'all' | readonly string[] {
  if (wanted === undefined) return visible;
  if (wanted === null) return [];
  return visible === 'all' || visible.includes(wanted) ? [wanted] : [];
}

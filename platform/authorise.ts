// Who may do what, for every subgraph. What the caller may not see does not exist: read by its id it is null, a list or stream
// of its project is empty, and a mutation that names it is refused with NOT_FOUND, in the words of an unknown id. FORBIDDEN is
// only for what the caller sees and may not do.
import { CodedError, Refusal, refuse, unknownId } from './errors.ts';
import { allows, type Identity, type RequestContext, type Role, visibleProjects } from './identity.ts';
import { decodeUuid } from './ids.ts';
import type { InputCheck } from './input.ts';
import { refuseUnknown } from './refusals.ts';

/** The user or token that asks; throws UNAUTHENTICATED without one, FORBIDDEN for a machine. */
export function caller(context: RequestContext): Identity {
  if (context.identity === null)
    throw new CodedError('UNAUTHENTICATED', 'The request has no valid credential: log in first.');
  if (context.identity.kind === 'machine')
    throw new CodedError(
      'FORBIDDEN',
      `A machine may not do this: its credential is only for the role ${context.identity.machineRole}.`,
    );
  return context.identity;
}

/** The machine that asks; throws UNAUTHENTICATED without a credential, FORBIDDEN for users and tokens. */
export function machineCaller({ identity }: RequestContext): Identity {
  if (identity === null)
    throw new CodedError('UNAUTHENTICATED', 'The request has no valid credential: send the token of a machine.');
  if (identity.kind !== 'machine') throw new CodedError('FORBIDDEN', 'Only machines may do this.');
  return identity;
}

/** For queries: throws FORBIDDEN unless the caller is an administrator. */
export function adminCaller(context: RequestContext): Identity {
  const identity = caller(context);
  if (!identity.admin) throw new CodedError('FORBIDDEN', 'Only administrators may read this.');
  return identity;
}

/** For mutations: refuses FORBIDDEN unless the caller is an administrator. */
export function requireAdmin(identity: Identity): void {
  if (!identity.admin) refuse('FORBIDDEN', 'Only administrators may do this.');
}

/** For mutations: refuses FORBIDDEN unless the caller holds the role in a project that the caller sees. `what`: the mutation, or a field. */
export function requireRole(identity: Identity | null, projectId: string, role: Role, what: string): void {
  if (!allows(identity, projectId, role)) refuse('FORBIDDEN', `${what} requires the role ${role} in this project`);
}

/** True when the caller may see the project (UUID) and what belongs to it. */
export function maySee(identity: Identity | null, projectId: string): boolean {
  return allows(identity, projectId, 'VIEWER');
}

/** Projects in which the caller is an operator; 'all' for an administrator. */
export function operatedProjects(identity: Identity): 'all' | readonly string[] {
  if (identity.admin) return 'all';
  return Object.keys(identity.projects).filter((project) => allows(identity, project, 'OPERATOR'));
}

/** The projects that a list or a stream is to show: the one that is named (by its global id), else all of `among`. */
export function projectsFor(
  identity: Identity | null,
  projectId: string | null | undefined,
  among: 'all' | readonly string[] = visibleProjects(identity),
): 'all' | readonly string[] {
  if (projectId == null) return among;
  const uuid = decodeUuid('Project', projectId);
  return uuid !== undefined && (among === 'all' || among.includes(uuid)) ? [uuid] : [];
}

/** The projects that a mutation may be about: the one that it names, else all that the caller sees. Refuses NOT_FOUND. */
export function projectsOf(identity: Identity | null, projectId: string | null | undefined): 'all' | readonly string[] {
  const projects = projectsFor(identity, projectId);
  if (projectId != null && projects.length === 0) refuseUnknown('Project', 'projectId', projectId);
  return projects;
}

/** The one project that a mutation names or that the caller has. Refuses NOT_FOUND or PROJECT_REQUIRED. */
export function oneProject(identity: Identity | null, projectId: string | null | undefined): string {
  const projects = projectsOf(identity, projectId);
  const [only] = projects;
  if (projects !== 'all' && projects.length === 1 && only !== undefined) return only;
  refuse('PROJECT_REQUIRED', 'you have several projects: name one with projectId', {
    field: ['input', 'projectId'],
  });
}

/**
 * The row of an object that a mutation names, when the caller may see it. Refuses NOT_FOUND, together with the faults that
 * `check` has collected. `type`: as the graph calls it.
 */
export async function visibleRow<Row extends { readonly projectId: string }>(
  identity: Identity | null,
  check: InputCheck,
  named: { readonly type: string; readonly id: string; readonly field?: string },
  read: (uuid: string) => Promise<Row | undefined>,
): Promise<Row> {
  const uuid = check.id(named.field ?? 'id', named.id, named.type);
  const row = uuid === undefined ? undefined : await read(uuid);
  if (row !== undefined && maySee(identity, row.projectId)) return row;
  if (uuid !== undefined) check.fault(named.field ?? 'id', unknownId(named.type, named.id), 'NOT_FOUND');
  throw new Refusal(check.errors);
}

/** For what a project's operators alone may read. A project that the caller may not see is no reason to refuse: it has nothing. */
export function requireOperatorsRead(identity: Identity, projectId: string | null | undefined, what: string): void {
  const wanted = projectId == null ? undefined : decodeUuid('Project', projectId);
  if (wanted !== undefined && maySee(identity, wanted) && !allows(identity, wanted, 'OPERATOR'))
    throw new CodedError('FORBIDDEN', `Only the project's operators may read its ${what}.`);
}

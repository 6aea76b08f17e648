// Authorisation for every subgraph. Objects that the caller may not see do not exist for the caller. A read by id gives null, and a
// list or stream of their project is empty. A mutation that names one is refused with NOT_FOUND, with the same message as for an
// unknown id. FORBIDDEN is used only for objects that the caller can see.

import { allows, type Identity, type RequestContext, type Role, visibleProjects } from '../caller/identity.ts';
import { CodedError, Refusal, refuse, unknownId } from '../errors/errors.ts';
import { decodeUuid } from '../values/ids.ts';
import type { InputCheck } from './input.ts';
import { refuseUnknown } from './refusals.ts';

/** The user or token behind the request; throws UNAUTHENTICATED without one, FORBIDDEN for a machine. */
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

/** The machine behind the request; throws UNAUTHENTICATED without a credential, FORBIDDEN for users and tokens. */
export function machineCaller({ identity }: RequestContext): Identity {
  if (identity === null)
    throw new CodedError('UNAUTHENTICATED', 'The request has no valid credential: send the token of a machine.');
  if (identity.kind !== 'machine') throw new CodedError('FORBIDDEN', 'Only machines may do this.');
  return identity;
}

/** For what only gateways read (gatewayIdentity in platform/graph/service-identity.ts): throws FORBIDDEN for all others. */
export function requireGateway(context: RequestContext): void {
  const { kind, id } = caller(context);
  if (kind !== 'service' || id !== 'gateway') throw new CodedError('FORBIDDEN', 'Only gateways may read this.');
}

/** For queries: throws FORBIDDEN unless the caller is an administrator. */
export function adminCaller(context: RequestContext): Identity {
  const identity = caller(context);
  if (!identity.admin) throw new CodedError('FORBIDDEN', 'Only administrators may do this.');
  return identity;
}

/** For mutations: refuses FORBIDDEN unless the caller is an administrator. */
export function requireAdmin(identity: Identity): void {
  if (!identity.admin) refuse('FORBIDDEN', 'Only administrators may do this.');
}

/**
 * For mutations: refuses FORBIDDEN unless the caller holds the role in a project that the caller sees. `what`: the name of the
 * mutation or of a field, for the message.
 */
export function requireRole(identity: Identity | null, projectId: string, role: Role, what: string): void {
  if (!allows(identity, projectId, role)) refuse('FORBIDDEN', `${what} requires the role ${role} in this project`);
}

/** True when the caller may see the project (UUID) and its objects. */
export function maySee(identity: Identity | null, projectId: string): boolean {
  return allows(identity, projectId, 'VIEWER');
}

/** Projects in which the caller is an operator; 'all' for an administrator. */
export function operatedProjects(identity: Identity): 'all' | readonly string[] {
  if (identity.admin) return 'all';
  return Object.keys(identity.projects).filter((project) => allows(identity, project, 'OPERATOR'));
}

/** The projects for a list or a stream: the one named (by its global id), else all of `among`. */
export function projectsFor(
  identity: Identity | null,
  projectId: string | null | undefined,
  among: 'all' | readonly string[] = visibleProjects(identity),
): 'all' | readonly string[] {
  if (projectId == null) return among;
  const uuid = decodeUuid('Project', projectId);
  return uuid !== undefined && (among === 'all' || among.includes(uuid)) ? [uuid] : [];
}

/** The projects that a mutation may address: the named one, else all that the caller sees. Refuses NOT_FOUND. */
export function projectsOf(identity: Identity | null, projectId: string | null | undefined): 'all' | readonly string[] {
  const projects = projectsFor(identity, projectId);
  if (projectId != null && projects.length === 0) refuseUnknown('Project', 'projectId', projectId);
  return projects;
}

/** The project of a mutation: the named one, otherwise the caller's only project. Refuses NOT_FOUND or PROJECT_REQUIRED. */
export function oneProject(identity: Identity | null, projectId: string | null | undefined): string {
  const projects = projectsOf(identity, projectId);
  const [only] = projects;
  if (projects !== 'all' && projects.length === 1 && only !== undefined) return only;
  refuse('PROJECT_REQUIRED', 'you have several projects: name one with projectId', {
    field: ['input', 'projectId'],
  });
}

/**
 * The row of the object that a mutation names, if the caller may see it. Refuses NOT_FOUND, together with the faults that `check`
 * has collected. `type`: the type's name in the graph.
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

/**
 * For data that only a project's operators may read. A project that the caller may not see causes no refusal: its data is empty.
 */
export function requireOperatorsRead(identity: Identity, projectId: string | null | undefined, what: string): void {
  const wanted = projectId == null ? undefined : decodeUuid('Project', projectId);
  if (wanted !== undefined && maySee(identity, wanted) && !allows(identity, wanted, 'OPERATOR'))
    throw new CodedError('FORBIDDEN', `Only the project's operators may read its ${what}.`);
}

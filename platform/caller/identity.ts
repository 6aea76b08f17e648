// The identity behind a request. The gateway derives it from a credential; subgraphs receive it signed and authorise by it.

import type { MutationManner } from './manner.ts';

/** A role in a project; each includes the ones after it in this list. */
export const roles = ['OPERATOR', 'MEMBER', 'VIEWER'] as const;
export type Role = (typeof roles)[number];

/** Returns the weaker role. */
export function lowerRole(one: Role, other: Role): Role {
  return roles.indexOf(one) > roles.indexOf(other) ? one : other;
}

export interface Identity {
  /** `service`: a subgraph that asks the graph, as a viewer of one project (platform/graph/service-identity.ts). */
  readonly kind: 'user' | 'token' | 'machine' | 'service';
  /** UUID of the user, API token or machine; the name of the subgraph. */
  readonly id: string;
  readonly name: string;
  /** May do everything in every project. */
  readonly admin: boolean;
  /** Project UUID to role. Empty for an administrator. */
  readonly projects: Readonly<Record<string, Role>>;
  /** UUID of the session, API token or machine; checked again while a socket is open. */
  readonly credentialId: string;
  /** UUID of the user at the root of an API token's tree. Absent if the token was made on the command line or by an administrator. */
  readonly ownerId?: string | undefined;
  /** SHA-256 sums of the only documents that an API token may send. Absent if it is not bound. For gateways: subgraphs don't get it. */
  readonly operations?: readonly string[] | undefined;
  /** Set for machines only, which have no other role. */
  readonly machineRole?: string | undefined;
  /** For a user with an access token: its expiry, in milliseconds since 1970. A socket ends with it. */
  readonly accessUntilMs?: number | undefined;
}

/** The owner of limits and calls: a user, with all sessions and API tokens; else the token or machine. */
export function countsFor({ id, ownerId }: Pick<Identity, 'id' | 'ownerId'>): string {
  return ownerId ?? id;
}

/** The context of every resolver. `identity` is null before login. */
export interface RequestContext {
  readonly identity: Identity | null;
  /** One id through gateway, subgraph, job, event and device call. */
  readonly requestId: string;
  /** The caller's own id for the request, if given. Used for the audit trail only, since anyone may send any id. */
  readonly callerRequestId?: string;
  /** The client's address, for rate limits. Absent if unknown. */
  readonly clientAddress?: string;
  /** The source of the address, if the address was not seen directly. See LoginOrigin (access.ts). */
  readonly addressToldBy?: string | undefined;
  /** How mutations are carried out. Absent: as usual. */
  readonly manner?: MutationManner;
  /** Per-request cache for data loaders, keyed by the loader's owner. */
  readonly loaders: Map<symbol, unknown>;
}

/** True when the caller holds at least `role` in the project (UUID). */
export function allows(identity: Identity | null, projectId: string, role: Role): boolean {
  if (identity === null) return false;
  if (identity.admin) return true;
  const held = identity.projects[projectId];
  return held !== undefined && roles.indexOf(held) <= roles.indexOf(role);
}

/** The caller's role in the project (UUID); an administrator's is OPERATOR. Undefined without one. */
export function heldRole(identity: Identity | null, projectId: string): Role | undefined {
  return roles.find((role) => allows(identity, projectId, role));
}

/** The projects (UUIDs) the caller may read; 'all' for an administrator. */
export function visibleProjects(identity: Identity | null): 'all' | readonly string[] {
  if (identity === null) return [];
  return identity.admin ? 'all' : Object.keys(identity.projects);
}

/** The same text for all callers with the same visibility: they can share subscriptions. */
export function authorisationScope(identity: Identity | null): string {
  if (identity === null) return 'nobody';
  if (identity.admin) return 'admin';
  return Object.entries(identity.projects)
    .map(([project, role]) => `${project}=${role}`)
    .sort()
    .join(',');
}

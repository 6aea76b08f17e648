// Projects and their memberships, as passed to resolvers.
import type { Role } from '../../../../platform/caller/identity.ts';

export interface Project {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Membership {
  /** UUID of the project. */
  readonly projectId: string;
  /** UUID of the user. */
  readonly userId: string;
  readonly role: Role;
  readonly createdAt: Date;
}

/** The caller with their projects. Sessions are only read on demand. */
export interface Viewer {
  readonly name: string;
  readonly admin: boolean;
  readonly projects: readonly { readonly project: Project; readonly role: Role }[];
}

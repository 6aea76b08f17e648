// An API token, as passed to resolvers: everything but its secret.
import type { Role } from '../../../../platform/caller/identity.ts';

export interface ApiToken {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  /** The first characters of the secret. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
  /** UUID of the user or token that made it. All zeros if it was created on the command line. */
  readonly createdBy: string;
  /** Name of the user or token that made it. Null if it was made on the command line. */
  readonly makerName: string | null;
  /** UUID of the token that made it. */
  readonly parentId: string | null;
  /** Hashes of the only operations that it may send. Null for all. */
  readonly operationHashes: readonly string[] | null;
}

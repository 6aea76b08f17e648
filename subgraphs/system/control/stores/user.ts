// A person's account, as passed to resolvers. The password hash is read from the store only for a login.

export interface User {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Login names. The database ignores trailing spaces in comparisons, so names have none. */
export const userNamePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;

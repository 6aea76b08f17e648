// A person's account, as resolvers pass it on. The password hash never leaves the store but for a login.

export interface User {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** Login names. The database compares them without trailing spaces, so there are none. */
export const userNamePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;

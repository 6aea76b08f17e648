// Authentication: the ports through which S3 looks up access keys and tokens.
import type { Caller } from '../namespace/namespace.ts';

export interface AccessKeys {
  /** Undefined if there is no such key or it is revoked. */
  find(accessKeyId: string): Promise<{ readonly secret: string; readonly caller: Caller } | undefined>;
}

export interface Tokens {
  /**
   * `project`: its name, UUID or id; required if the token is for several projects. Undefined if the token is expired or not signed by a
   * known cluster.
   *
   * @throws ObjectError ISOLATED; NOT_ALLOWED if the project is required and missing, or the token is not for it
   */
  verify(token: string, project?: string): Promise<Caller | undefined>;
}

/** Names the project for which a token is used. */
export const projectHeader = 'x-tidegate-project';

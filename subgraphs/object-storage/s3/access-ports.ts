// Who may come in: what S3 asks about an access key or a token.
import type { Caller } from '../namespace/namespace.ts';

export interface AccessKeys {
  /** Undefined: there is no such key, or it is revoked. */
  find(accessKeyId: string): Promise<{ readonly secret: string; readonly caller: Caller } | undefined>;
}

export interface Tokens {
  /**
   * `project`: its name, UUID or id; needed where the token is for several. Undefined: not signed by a known cluster, or expired.
   *
   * @throws ObjectError ISOLATED; NOT_ALLOWED when it is not said which project is meant, or the token is not for it
   */
  verify(token: string, project?: string): Promise<Caller | undefined>;
}

/** Says which of its projects a token is used for. */
export const projectHeader = 'x-tidegate-project';

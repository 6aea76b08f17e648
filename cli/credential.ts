// How a command authenticates: a given token, or a login by password. Its access token is renewed before it expires and after a refusal, because a
// command may run longer than the token is valid.
import { graphql } from '../generated/cli/index.ts';
import { CommandFailure } from './failures.ts';
import type { Credential, GraphClient } from './graph-client.ts';

export const loginDocument = graphql(`
  mutation LogIn($input: LoginInput!) {
    login(input: $input) { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt userErrors { code message field } }
  }
`);

export const refreshDocument = graphql(`
  mutation RefreshLogin($input: SessionRefreshInput!) {
    sessionRefresh(input: $input) { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt userErrors { code message field } }
  }
`);

/** An access token is renewed before use if less than this part of its lifetime is left, and at most this many milliseconds. */
const marginShare = 0.2;
const mostMarginMs = 30_000;

/** If a new token seems to have ended longer ago than this, the local clock is ahead of the server's. */
const clockAheadMs = 60_000;
const dayMs = 86_400_000;

/** Time until a new access token with this remaining life should be renewed. */
export function renewalInMs(lifeMs: number): number {
  // The server refuses expired tokens. By a wrong local clock, every request would renew the token.
  if (lifeMs < -clockAheadMs) return dayMs;
  return lifeMs - Math.min(mostMarginMs, lifeMs * marginShare);
}

export function givenToken(token: string): Credential {
  return { token: async () => token, inPlaceOf: async () => undefined, close: async () => {} };
}

interface Tokens {
  readonly accessToken?: string | null | undefined;
  readonly accessTokenExpiresAt?: string | null | undefined;
  readonly refreshToken?: string | null | undefined;
}

/** Logs in by name and password, and closes the given client. Throws CommandFailure. */
export async function logIn(anonymous: GraphClient, login: { name: string; password: string }): Promise<Credential> {
  try {
    return new UserLogin(anonymous, await anonymous.mutate(loginDocument, login));
  } catch (error) {
    await anonymous.close();
    throw error;
  }
}

class UserLogin implements Credential {
  readonly #anonymous: GraphClient;
  #accessToken = '';
  #refreshToken = '';
  #renewAtMs = 0;
  #renewing: Promise<void> | undefined;

  constructor(anonymous: GraphClient, tokens: Tokens) {
    this.#anonymous = anonymous;
    this.#adopt(tokens);
  }

  async token(): Promise<string> {
    if (performance.now() >= this.#renewAtMs) await this.#renew();
    return this.#accessToken;
  }

  async inPlaceOf(refused: string): Promise<string | undefined> {
    if (refused === this.#accessToken) await this.#renew();
    return this.#accessToken;
  }

  close(): Promise<void> {
    return this.#anonymous.close();
  }

  /** One renewal at a time: a refresh token that is used twice ends the session. */
  async #renew(): Promise<void> {
    this.#renewing ??= this.#anonymous
      .mutate(refreshDocument, { refreshToken: this.#refreshToken })
      .then((tokens) => this.#adopt(tokens))
      .finally(() => {
        this.#renewing = undefined;
      });
    await this.#renewing;
  }

  #adopt({ accessToken, accessTokenExpiresAt, refreshToken }: Tokens): void {
    if (accessToken == null || accessTokenExpiresAt == null || refreshToken == null)
      throw new CommandFailure('the server gave no tokens for the login');
    const lifeMs = Date.parse(accessTokenExpiresAt) - Date.now();
    this.#accessToken = accessToken;
    this.#refreshToken = refreshToken;
    this.#renewAtMs = performance.now() + renewalInMs(lifeMs);
  }
}

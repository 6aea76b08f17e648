// The mutations of a browser's login, with a page's input for each. The documents are fixed, because a page with its own document could get the
// refresh token under another name.
import { z } from 'zod';

interface SessionMutation {
  /** Schema of the body's input. */
  readonly given: z.ZodType<Readonly<Record<string, unknown>>>;
  readonly document: string;
}

const text = z.string().max(1_024);
const nothing = z.strictObject({});

function tokensOf(field: string, inputType: string): string {
  return `mutation Session($input: ${inputType}!) {
  ${field}(input: $input) {
    accessToken
    accessTokenExpiresAt
    refreshToken
    refreshTokenExpiresAt
    userErrors { code message field retry retryAfterMs }
  }
}`;
}

/** Keyed by the root field, which is also the end of the path. */
export const sessionMutations = {
  login: { given: z.strictObject({ name: text, password: text }), document: tokensOf('login', 'LoginInput') },
  sessionStart: { given: z.strictObject({ code: text }), document: tokensOf('sessionStart', 'SessionStartInput') },
  sessionRefresh: { given: nothing, document: tokensOf('sessionRefresh', 'SessionRefreshInput') },
  logout: {
    given: nothing,
    document: 'mutation Session { logout { userErrors { code message field retry retryAfterMs } } }',
  },
} as const satisfies Readonly<Record<string, SessionMutation>>;

export type SessionField = keyof typeof sessionMutations;

// Reads the credential of a request: the Authorization header, or a socket's connection parameters.

/** No Tidegate token is longer. */
const maxLength = 8192;

/** The token of an `Authorization: Bearer …` value (RFC 6750 section 2.1). Undefined when there is none. */
export function bearerOf(authorization: unknown): string | undefined {
  if (typeof authorization !== 'string' || authorization.length > maxLength) return undefined;
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
}

/** The credential in graphql-ws connection parameters: `authorization` like the header, or a plain `token`. */
export function bearerOfConnection(parameters: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const { authorization, Authorization, token } = parameters ?? {};
  return (
    bearerOf(authorization ?? Authorization) ?? bearerOf(typeof token === 'string' ? `Bearer ${token}` : undefined)
  );
}

/** Hint for clients without a login. */
export const howToLogIn =
  'send the header "Authorization: Bearer TOKEN" with a token from the mutation login, or an API token';

/** Schemes of other systems. Only these words are quoted, because any other first word may be part of a secret. */
const otherScheme = /^(Basic|Digest|Negotiate|Token|ApiKey|JWT)(?: |$)/i;

/** The fault of an Authorization header without a token for us. Undefined if it has one, or is absent. Never quotes a token. */
export function authorizationFault(authorization: string | undefined): string | undefined {
  if (authorization === undefined || bearerOf(authorization) !== undefined) return undefined;
  const value = authorization.trim();
  if (value === '') return `The Authorization header is empty: ${howToLogIn}.`;
  if (authorization.length > maxLength)
    return `The Authorization header has ${authorization.length} characters, more than any token: ${howToLogIn}.`;
  const scheme = otherScheme.exec(value)?.[1];
  if (scheme !== undefined)
    return `The Authorization header has the scheme ${scheme}, and only Bearer is accepted: ${howToLogIn}.`;
  if (/^Bearer$/i.test(value)) return `The Authorization header has no token after Bearer: ${howToLogIn}.`;
  if (/^Bearer\b/i.test(value))
    return 'The Authorization header has characters after Bearer that no token has: send "Bearer ", the token as it was given, and nothing else.';
  return 'The Authorization header lacks the word Bearer: send it as "Authorization: Bearer TOKEN".';
}

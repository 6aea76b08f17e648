// Reads the credential of a request: the Authorization header, or a socket's connection parameters.

/** No Tidegate token is longer. */
const maxLength = 8192;

/** The token of an `Authorization: Bearer …` value (RFC 6750 section 2.1); undefined when there is none. */
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

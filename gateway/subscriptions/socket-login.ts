// The login of a socket: the credential of connection_init, or of the upgrade request for clients that are not browsers.
import { CloseCode } from 'graphql-ws';
import type { Logger } from 'pino';
import type { Identity } from '../../platform/caller/identity.ts';
import { type SocketClose, socketCloses } from '../../platform/errors/errors.ts';
import { bearerOf, bearerOfConnection } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';

type SocketLogin = { readonly identity: Identity } | { readonly refusal: SocketClose };
type Parameters = Readonly<Record<string, unknown>> | undefined;

/** Replaces the protocol server's own reasons. */
export const closeReasons: ReadonlyMap<number, string> = new Map([
  [CloseCode.Unauthorized, socketCloses.subscribedTooEarly.reason],
  [CloseCode.SubprotocolNotAcceptable, socketCloses.subprotocolMissing.reason],
  [CloseCode.ConnectionInitialisationTimeout, socketCloses.initTimeout.reason],
  [CloseCode.TooManyInitialisationRequests, socketCloses.initTwice.reason],
]);

/** `authorization`: the header of the upgrade request. */
export async function logIn(
  credentials: CredentialCache,
  { parameters, authorization }: { readonly parameters: Parameters; readonly authorization: string | undefined },
  log: Logger,
): Promise<SocketLogin> {
  const bearer = hasCredential(parameters) ? bearerOfConnection(parameters) : bearerOf(authorization);
  if (bearer === undefined) return { refusal: socketCloses.credentialMissing };
  try {
    const identity = await credentials.identify(bearer);
    return identity === undefined ? { refusal: socketCloses.forbidden } : { identity };
  } catch (error) {
    log.warn({ reason: String(error) }, 'a credential could not be checked');
    return { refusal: socketCloses.uncertain };
  }
}

/** Also true for an unreadable one, which is refused even if the header has a valid one. */
function hasCredential({ authorization, Authorization, token }: NonNullable<Parameters> = {}): boolean {
  return (authorization ?? Authorization ?? token) != null;
}

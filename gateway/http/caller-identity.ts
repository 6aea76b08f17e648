// The identity of a request, for non-GraphQL paths that need a login.

import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { authorizationFault, bearerOf, howToLogIn } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import type { EndpointRequest } from './endpoint-request.ts';

export const invalidCredential = 'The credential is not valid or has expired: log in again.';

/** `without`: message without a login. Throws UNAUTHENTICATED, or UNAVAILABLE. */
export async function callerIdentity(
  credentials: CredentialCache,
  request: Pick<EndpointRequest, 'headers' | 'onIdentified'>,
  without: string,
): Promise<Identity> {
  const authorization = request.headers.get('authorization');
  const fault = authorizationFault(authorization);
  if (fault !== undefined) throw new CodedError('UNAUTHENTICATED', fault);
  const bearer = bearerOf(authorization);
  if (bearer === undefined) throw new CodedError('UNAUTHENTICATED', `${without}: ${howToLogIn}.`);
  let identity: Identity | undefined;
  try {
    identity = await credentials.identify(bearer);
  } catch (cause) {
    throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, cause);
  }
  if (identity === undefined) throw new CodedError('UNAUTHENTICATED', invalidCredential);
  request.onIdentified?.();
  return identity;
}

// Whose request it is, for paths beside GraphQL that need a login.
import { CodedError } from '../../platform/edge/errors.ts';
import type { Identity } from '../../platform/edge/identity.ts';
import { bearerOf } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import type { EndpointRequest } from './graphql-endpoint.ts';

/** `without`: what to say without a login. Throws UNAUTHENTICATED, or UNAVAILABLE. */
export async function callerIdentity(
  credentials: CredentialCache,
  request: Pick<EndpointRequest, 'headers' | 'onIdentified'>,
  without: string,
): Promise<Identity> {
  const bearer = bearerOf(request.headers.get('authorization'));
  let identity: Identity | undefined;
  try {
    identity = bearer === undefined ? undefined : await credentials.identify(bearer);
  } catch (cause) {
    throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, cause);
  }
  if (identity === undefined)
    throw new CodedError('UNAUTHENTICATED', `${without}: send the header "Authorization: Bearer …".`);
  request.onIdentified?.();
  return identity;
}

// A backend's endpoint as TLS dials it, and the other origins of its calls: an option may name one, for
// example Keystone beside Neutron.

import { type Address, addressOfUrl } from '../../../platform/net/origin.ts';
import type { TlsEndpoint } from '../../../platform/net/tls-endpoint.ts';
import type { ClientIdentity } from '../../../platform/net/tls-handshake.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Credentials } from '../drivers/driver.ts';
import type { Endpoint } from './session.ts';

export function tlsEndpointOf(endpoint: Endpoint): TlsEndpoint {
  const { host, port, cryptoProfile, certificateSha256 = null, caCertificates = null } = endpoint;
  return { host, port, cryptoProfile, certificateSha256, caCertificates, ...clientIdentityOf(endpoint.credentials) };
}

/** Other destinations of calls: an option `somethingUrl` names an origin. */
export function originsIn(options: JsonObject): readonly { readonly option: string; readonly address: Address }[] {
  return Object.entries(options).flatMap(([option, value]) => {
    const address = option.endsWith('Url') && typeof value === 'string' ? addressOfUrl(value) : undefined;
    return address === undefined ? [] : [{ option, address }];
  });
}

/**
 * The origins in the options as TLS endpoints. A certificate is checked against `somethingCertificateSha256` if given, else the
 * backend's authorities, else the backend's own pin.
 */
export function otherOriginsOf(own: TlsEndpoint, options: JsonObject): TlsEndpoint[] {
  // A client certificate is presented to the backend only.
  const { client: _client, ...rest } = own;
  return originsIn(options).map(({ option, address }) => {
    const pin = options[`${option.slice(0, -'Url'.length)}CertificateSha256`];
    const inherited = own.caCertificates === null ? own.certificateSha256 : null;
    return { ...rest, ...address, certificateSha256: typeof pin === 'string' ? pin : inherited };
  });
}

/** The client certificate in a backend's credentials, if there is one. */
function clientIdentityOf(credentials: Credentials): { readonly client?: ClientIdentity } {
  const { clientCertificate: certificate, privateKey, passphrase } = credentials;
  if (certificate === undefined || privateKey === undefined) return {};
  return { client: { certificate, privateKey, ...(passphrase === undefined ? {} : { passphrase }) } };
}

// Where a call of a backend may go: to the backend's own address, or to another origin that its options name (for example
// Keystone beside Neutron). Nothing that a device answers can send us anywhere else.

import type { HttpCall, JsonObject } from '../drivers/driver.ts';
import type { Endpoint } from './session.ts';
import { clientIdentityOf, type TlsEndpoint } from './tls-endpoint.ts';

/** `https://host:port`, always with the port. */
export function originOf(address: { readonly host: string; readonly port: number }): string {
  return `https://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

export function ownEndpoint(endpoint: Endpoint): TlsEndpoint {
  return {
    host: endpoint.host,
    port: endpoint.port,
    cryptoProfile: endpoint.cryptoProfile,
    certificateSha256: endpoint.certificateSha256 ?? null,
    caCertificates: endpoint.caCertificates ?? null,
    ...clientIdentityOf(endpoint.credentials),
  };
}

/**
 * Where a call goes that names an origin; undefined: nowhere, it is not registered. An option `somethingUrl` registers an
 * origin. What its certificate is checked by: `somethingCertificateSha256` when that is given, else the backend's
 * authorities, else the backend's own pin.
 */
export function endpointOfCall(call: HttpCall, endpoint: Endpoint, options: JsonObject): TlsEndpoint | undefined {
  const own = ownEndpoint(endpoint);
  if (call.origin === undefined) return own;
  const wanted = addressOf(call.origin);
  if (wanted === undefined) return undefined;
  if (originOf(wanted) === originOf(own)) return own;
  for (const [name, value] of Object.entries(options)) {
    const registered = name.endsWith('Url') && typeof value === 'string' ? addressOf(value) : undefined;
    if (registered === undefined || originOf(registered) !== originOf(wanted)) continue;
    const pin = options[`${name.slice(0, -'Url'.length)}CertificateSha256`];
    const certificateSha256 =
      typeof pin === 'string' ? pin : own.caCertificates === null ? own.certificateSha256 : null;
    // Another server is not ours to show a client certificate to.
    const { client: _client, ...rest } = own;
    return { ...rest, ...wanted, certificateSha256 };
  }
  return undefined;
}

function addressOf(text: string): { readonly host: string; readonly port: number } | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? 443 : Number(url.port) };
}

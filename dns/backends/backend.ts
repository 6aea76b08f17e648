// A backend as stored: the places of its servers, and the secret for them.

import type { BackendType } from '../records/backend-types.ts';
import type { TsigKey } from '../wire/tsig.ts';

/** How the certificate of an HTTPS server is verified: by its fingerprint (`SHA256:…`), by authorities (PEM), or both. */
export interface HttpsTrust {
  readonly certificateSha256: string | null;
  readonly caCertificates: string | null;
}

interface PowerdnsPlace extends HttpsTrust {
  /** HTTPS URL of its API. */
  readonly url: string;
  /** ADDRESS:PORT where it answers questions. */
  readonly dns: string;
}

export type BackendSpec =
  | { readonly type: 'ANSWERER' }
  | {
      readonly type: 'RFC2136';
      /** ADDRESS:PORT. */
      readonly servers: readonly string[];
      readonly keyName: string;
      readonly keyAlgorithm: TsigKey['algorithm'];
    }
  | {
      readonly type: 'POWERDNS';
      readonly servers: readonly PowerdnsPlace[];
      /** Key that secondaries use to transfer the zones. Null if none. */
      readonly transferKeyName: string | null;
      readonly transferKeyAlgorithm: TsigKey['algorithm'];
    }
  | ({
      readonly type: 'DESIGNATE';
      /** HTTPS URL, without the version. */
      readonly url: string;
      /** Keystone with its version. */
      readonly authUrl: string;
      readonly username: string;
      readonly project: string;
      readonly userDomain: string;
      readonly projectDomain: string;
      /** ADDRESS:PORT of the pool's name servers, which explanations query. Omitted if unknown. */
      readonly nameServers?: readonly string[];
    } & HttpsTrust);

/** Secrets for a backend's servers, with only the fields of its type. */
export interface BackendSecret {
  /** Secret of the TSIG key in base64, for RFC2136. */
  readonly keySecret?: string;
  /** POWERDNS. */
  readonly apiKey?: string;
  /** Base64, for POWERDNS with a transfer key. */
  readonly transferKeySecret?: string;
  /** DESIGNATE. */
  readonly password?: string;
}

export interface BackendRow {
  readonly id: string;
  readonly name: string;
  readonly type: BackendType;
  readonly spec: BackendSpec;
  readonly keyId: string | null;
  readonly sealedSecret: Buffer | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** ADDRESS:PORT where clients' queries are answered. */
export function answeringPlaces(spec: BackendSpec): readonly string[] {
  if (spec.type === 'POWERDNS') return spec.servers.map(({ dns }) => dns);
  return spec.type === 'DESIGNATE' ? (spec.nameServers ?? []) : placesOf(spec);
}

/** Places of the backend's servers, which are the keys of their states in dns_server. */
export function placesOf(spec: BackendSpec): readonly string[] {
  if (spec.type === 'RFC2136') return spec.servers;
  if (spec.type === 'POWERDNS') return spec.servers.map(({ url }) => url);
  return spec.type === 'DESIGNATE' ? [spec.url] : [];
}

// A TLS handshake; optionally the certificate must be trusted, match the name, and stay valid for some days.
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tlsOver } from '../../net/tls-over.ts';
import { tlsProfileOf } from '../../net/tls-profiles.ts';
import type { Probe } from '../probe.ts';
import { connection, type End, reasonOf, type Where, whereSchema } from './connection.ts';

export interface TlsOptions {
  /** For SNI, and the name that the certificate must match; default: the host, when it is a name. */
  readonly serverName?: string;
  /** False accepts any certificate. Default true. */
  readonly verify?: boolean;
  /** PEM certificates of the authorities trusted to sign; default: the well-known ones. */
  readonly caCertificates?: string;
  /** Days for which the certificate must still be valid. */
  readonly minDaysLeft?: number;
}

type TlsParameters = Where & TlsOptions;

/** JSON Schema properties of `TlsOptions`. */
export const tlsSchema = {
  serverName: { type: 'string', minLength: 1, maxLength: 253 },
  verify: { type: 'boolean', default: true },
  caCertificates: { type: 'string', maxLength: 65_536 },
  minDaysLeft: { type: 'integer', minimum: 0, maximum: 3650 },
} as const;

const dayMs = 86_400_000;

/** Makes the handshake on a connected socket; calls `ready` when the certificate is accepted. */
export function secure(
  socket: Socket,
  parameters: TlsParameters & { /** Default: none. */ readonly alpn?: readonly string[] },
  end: End,
  ready: (secured: TLSSocket) => void,
): void {
  const { host, serverName, verify = true, caCertificates, minDaysLeft, alpn } = parameters;
  const name = serverName ?? (isIP(host) === 0 ? host : undefined);
  let secured: TLSSocket;
  try {
    secured = tlsOver(socket, {
      ...tlsProfileOf('COMPAT'),
      host,
      rejectUnauthorized: verify,
      ...(name === undefined ? {} : { servername: name }),
      ...(caCertificates === undefined ? {} : { ca: caCertificates }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    });
  } catch (error) {
    end(reasonOf(error));
    return;
  }
  secured.on('error', (error) => end(reasonOf(error)));
  secured.once('secureConnect', () => {
    const validTo = Date.parse(secured.getPeerCertificate().valid_to);
    const daysLeft = Math.floor((validTo - Date.now()) / dayMs);
    if (minDaysLeft === undefined || daysLeft >= minDaysLeft) ready(secured);
    else end(`its certificate is valid for only ${daysLeft} more days; at least ${minDaysLeft} are required`);
  });
}

export const tlsProbe: Probe<TlsParameters> = {
  name: 'tls',
  parameters: {
    type: 'object',
    required: ['host', 'port'],
    additionalProperties: false,
    properties: { ...whereSchema, ...tlsSchema },
  },
  check: (parameters, run) =>
    connection(parameters, run, (socket, end) => {
      socket.once('connect', () => secure(socket, parameters, end, () => end(null)));
    }),
};

// Host key fingerprints, and reading a device's key without logging in, for an operator to compare and accept.

import { createHash } from 'node:crypto';
import { EgressDeniedError } from '../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { dialSsh } from '../../../platform/net/ssh-client.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import { UnreadProofError } from '../../../platform/net/unread-proof.ts';
import { algorithmsOf } from './crypto-profiles.ts';

interface HostKey {
  /** `SHA256:…`, unpadded base64, in the format of ssh-keygen -lf. */
  readonly sha256: string;
  /** For example ssh-ed25519. */
  readonly algorithm: string;
}

/** `key` is the public key blob of RFC 4253 section 6.6, which starts with its algorithm's name. */
export function hostKeyOf(key: Buffer): HostKey {
  const sha256 = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
  const nameBytes = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return { sha256, algorithm: key.toString('latin1', 4, 4 + Math.min(nameBytes, 64)) };
}

/**
 * The key that a device presents now. Nothing proves that it is the device's own, so an operator must compare it.
 *
 * @throws UnreadProofError with the reason when there is no answer within `timeoutMs`
 */
export function readHostKey(options: {
  readonly host: string;
  readonly port: number;
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
  readonly cryptoProfile?: CryptoProfile;
  readonly signal?: AbortSignal;
}): Promise<HostKey> {
  const { host, port, egress, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const { client, socket, connect } = dialSsh(egress, { host, port });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const fail = (reason: string, denied = false) =>
      end(() => reject(new UnreadProofError(`The host key of ${host}:${port} can't be read: ${reason}.`, { denied })));
    const onAbort = () => fail('aborted');
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    client.on('error', (error: Error) => fail(error.message, error instanceof EgressDeniedError));
    client.on('close', () => fail('the device closed the connection'));
    if (signal?.aborted) {
      onAbort();
      return;
    }
    connect({
      username: 'host-key-reader',
      readyTimeout: 0,
      algorithms: algorithmsOf(options.cryptoProfile ?? 'LEGACY'),
      hostVerifier: (key: Buffer) => {
        end(() => resolve(hostKeyOf(key)));
        return false;
      },
    });
  });
}

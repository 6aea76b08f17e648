// ssh2 makes a cipher for every packet of AES-GCM. With a key in a buffer, this takes Node four times as long as with a key object
// (14 µs and 3.4 µs, Node 24.21), which is a fourth of a call's CPU time. Uses members of ssh2 1.17.0 that are not in its types
// (package.json pins that version).

import { createSecretKey } from 'node:crypto';
import type { Client } from 'ssh2';

interface ClientInternals {
  readonly _protocol: {
    /** A Buffer, or something else for other ciphers. */
    readonly _cipher: { _encKey?: unknown };
    readonly _decipher: { _decipherKey?: unknown };
  };
}

/** For a ready client. After a later key exchange its keys are buffers again, which works too. */
export function makeKeyObjects(client: Client): void {
  const { _cipher, _decipher } = (client as unknown as ClientInternals)._protocol;
  if (Buffer.isBuffer(_cipher._encKey)) _cipher._encKey = createSecretKey(_cipher._encKey);
  if (Buffer.isBuffer(_decipher._decipherKey)) _decipher._decipherKey = createSecretKey(_decipher._decipherKey);
}

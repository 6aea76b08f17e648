// A machine's key pair (P-256). The private key is made on the machine and never leaves it.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

export interface MachineKeys {
  /** PEM (SubjectPublicKeyInfo). */
  readonly publicKey: string;
  /** PEM (PKCS #8). */
  readonly privateKey: string;
}

export async function newMachineKeys(): Promise<MachineKeys> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

// Key pairs in memory, as the key files have them.
import { newKeyPair, type PublicFile, PublicKeys, type Signer, SigningKeys } from '../../platform/secrets/key-pairs.ts';

export interface TestPair {
  readonly signingKeys: SigningKeys;
  readonly publicKeys: PublicKeys;
}

/** One signer's private key, and everyone's view of it. */
export function testPair(signer: Signer): TestPair {
  const { privateText, publicText } = newKeyPair();
  return {
    signingKeys: new SigningKeys({ active: 'k1', keys: { k1: privateText } }),
    publicKeys: new PublicKeys(publicFile({ [signer]: { k1: publicText } })),
  };
}

export function publicFile(keys: Partial<PublicFile>): PublicFile {
  return { gateway: {}, system: {}, audit: {}, ...keys };
}

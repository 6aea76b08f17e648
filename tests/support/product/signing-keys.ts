// In-memory key pairs in the form of the key files.
import {
  newKeyPair,
  type PublicFile,
  PublicKeys,
  type Signer,
  SigningKeys,
} from '../../../platform/secrets/key-pairs.ts';

interface TestPair {
  readonly signingKeys: SigningKeys;
  readonly publicKeys: PublicKeys;
}

/** One signer's private key, and its public key for others. */
export function testPair(signer: Signer): TestPair {
  const { privateText, publicText } = newKeyPair();
  return {
    signingKeys: new SigningKeys({ active: 'k1', keys: { k1: privateText } }),
    publicKeys: new PublicKeys(publicFile({ [signer]: { k1: publicText } })),
  };
}

/** All signers of one installation. */
interface TestSigners {
  readonly signing: Readonly<Record<Signer, SigningKeys>>;
  readonly publicKeys: PublicKeys;
  /** For sealing and purging the audit trail. */
  readonly audit: TestPair;
}

export function testSigners(): TestSigners {
  const pairs = { gateway: newKeyPair(), system: newKeyPair(), audit: newKeyPair(), objects: newKeyPair() };
  const signing = (signer: Signer) => new SigningKeys({ active: 'k1', keys: { k1: pairs[signer].privateText } });
  const publicKeys = new PublicKeys({
    gateway: { k1: pairs.gateway.publicText },
    system: { k1: pairs.system.publicText },
    audit: { k1: pairs.audit.publicText },
    objects: { k1: pairs.objects.publicText },
  });
  return {
    signing: {
      ...{ gateway: signing('gateway'), system: signing('system') },
      ...{ audit: signing('audit'), objects: signing('objects') },
    },
    publicKeys,
    audit: { signingKeys: signing('audit'), publicKeys },
  };
}

export function publicFile(keys: Partial<PublicFile>): PublicFile {
  return { gateway: {}, system: {}, audit: {}, objects: {}, ...keys };
}

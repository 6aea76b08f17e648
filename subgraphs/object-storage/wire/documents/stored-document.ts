// Converts between a signed document and its row in the cluster's database.
import { readDocument, type SignedDocument, type VerifiedDocument } from './signed-document.ts';

export interface StoredDocument {
  /** At most 32 characters, such as `ring`. */
  readonly kind: string;
  /** Identifies it within its kind: at most 128 characters. */
  readonly key: string;
  /** Never falls. */
  readonly generation: number;
  readonly body: string;
  readonly signature: string;
}

/** Separates the parts of a name, and a key's id from its signature. */
const separator = '/';

export function toStored({ name, generation, body, keyId, signature }: SignedDocument): StoredDocument {
  const [kind = '', ...key] = name.split(separator);
  return { kind, key: key.join(separator), generation, body, signature: `${keyId}${separator}${signature}` };
}

export function toSigned({ kind, key, generation, body, signature }: StoredDocument): SignedDocument {
  const at = signature.indexOf(separator);
  return {
    ...{ name: nameOf({ kind, key }), generation, body },
    ...{ keyId: signature.slice(0, at), signature: signature.slice(at + 1) },
  };
}

/** Does not verify: documents are verified before they are stored. */
export function readStored(document: StoredDocument): VerifiedDocument {
  const { generation, body } = document;
  return readDocument({ name: nameOf(document), generation, body });
}

function nameOf({ kind, key }: Pick<StoredDocument, 'kind' | 'key'>): string {
  return key === '' ? kind : `${kind}${separator}${key}`;
}

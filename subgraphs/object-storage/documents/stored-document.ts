// A signed document as a row of the cluster's database, and back.
import type { StoredDocument } from '../store/document-store.ts';
import { readDocument, type SignedDocument, type VerifiedDocument } from './signed-document.ts';

/** Between the parts of a name, and of a key's id and its signature. */
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

/** It was verified before it was stored. */
export function readStored(document: StoredDocument): VerifiedDocument {
  const { generation, body } = document;
  return readDocument({ name: nameOf(document), generation, body });
}

function nameOf({ kind, key }: Pick<StoredDocument, 'kind' | 'key'>): string {
  return key === '' ? kind : `${kind}${separator}${key}`;
}

// Signed documents. The control plane signs the exact text of the body with its name and generation, so no canonical form is needed. Anyone
// with the control plane's public keys can verify a document, wherever it came from.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { SigningKeys } from '../../../../platform/secrets/key-pairs.ts';
import { type JsonValue, jsonIn } from '../../../../platform/values/json.ts';
import {
  type DocumentBody,
  type DocumentKind,
  documentKind,
  documentShapes,
  isNamedSo,
  type KeysDocument,
} from './documents.ts';

/** The form in which it is sent and stored. */
export const signedDocumentShape = z.object({
  name: z.string().min(1).max(80),
  generation: z.number().int().positive(),
  /** JSON text. `null` if the thing no longer exists. */
  body: z.string().max(1_048_576),
  keyId: z.string().min(1).max(32),
  /** Ed25519, in base64. */
  signature: z.base64().max(100),
});
export type SignedDocument = z.output<typeof signedDocumentShape>;
export type UnsignedDocument = Pick<SignedDocument, 'name' | 'generation' | 'body'>;

/** A verified document. */
export type VerifiedDocument = {
  readonly [Kind in DocumentKind]: {
    readonly kind: Kind;
    readonly name: string;
    readonly generation: number;
    /** Undefined if the thing no longer exists. */
    readonly body: DocumentBody<Kind> | undefined;
  };
}[DocumentKind];

/** UNKNOWN_KEY: the control plane has a newer key than is known here, or the key is not its own. */
type DocumentFault = 'MALFORMED' | 'UNKNOWN_KEY' | 'FORGED' | 'OLDER';

export class DocumentError extends Error {
  readonly fault: DocumentFault;

  constructor(fault: DocumentFault, message: string) {
    super(message);
    this.name = 'DocumentError';
    this.fault = fault;
  }
}

const longestShown = 80;

/** No other text that the key signs begins like this. */
function textOf({ name, generation, body }: UnsignedDocument): string {
  return `tidegate object storage document\n${name}\n${generation}\n${body}`;
}

/** `keyId`: for a reader that does not know the active key yet. Default: the active key. */
export function signDocument(keys: SigningKeys, document: UnsignedDocument, keyId?: string): SignedDocument {
  const { name, generation, body } = document;
  const signed = keys.sign(textOf(document), keyId);
  return { name, generation, body, keyId: signed.keyId, signature: signed.signature.toString('base64') };
}

/** The control plane's public keys, as in a `keys` document. */
export class DocumentKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor({ keys }: KeysDocument) {
    this.#keys = new Map(
      Object.entries(keys).map(([id, text]) => [
        id,
        createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }),
      ]),
    );
  }

  ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  byId(id: string): KeyObject | undefined {
    return this.#keys.get(id);
  }
}

/**
 * Returns the content of a document that the control plane has signed. `held`: the generation of the stored document with this name; an
 * older one is refused, the same one is accepted. Throws DocumentError.
 */
export function verifyDocument(document: JsonValue | SignedDocument, keys: DocumentKeys, held = 0): VerifiedDocument {
  const read = signedDocumentShape.safeParse(document);
  if (!read.success) throw new DocumentError('MALFORMED', `not a signed document: ${z.prettifyError(read.error)}`);
  const { name, generation, keyId, signature } = read.data;
  const shown = JSON.stringify(name.slice(0, longestShown));
  const key = keys.byId(keyId);
  if (key === undefined)
    throw new DocumentError(
      'UNKNOWN_KEY',
      `the document ${shown} is signed with the key ${keyId}, and the known keys of the control plane are ${keys.ids().join(', ')}`,
    );
  if (!verify(null, Buffer.from(textOf(read.data)), key, Buffer.from(signature, 'base64')))
    throw new DocumentError('FORGED', `the signature of the document ${shown} is not the control plane's`);
  if (generation < held)
    throw new DocumentError('OLDER', `the document ${shown} has generation ${generation}, and ${held} is already here`);
  return readDocument(read.data);
}

/**
 * Reads a document without checking its signature: for the first `keys` document, whose connection authenticates the control plane. Throws
 * DocumentError.
 */
export function readDocument({ name, generation, body: text }: UnsignedDocument): VerifiedDocument {
  const shown = JSON.stringify(name.slice(0, longestShown));
  const kind = documentKind(name);
  if (kind === undefined) throw new DocumentError('MALFORMED', `no kind of document is named ${shown}`);
  const content = jsonIn(text);
  if (content === null) return { kind, name, generation, body: undefined };
  const body = documentShapes[kind].safeParse(content);
  if (!body.success)
    throw new DocumentError('MALFORMED', `the document ${shown} is malformed: ${z.prettifyError(body.error)}`);
  if (!isNamedSo(name, kind, body.data))
    throw new DocumentError('MALFORMED', `the document ${shown} has the content of another name`);
  return { kind, name, generation, body: body.data } as VerifiedDocument;
}

// Bodies with Content-Encoding aws-chunked: chunks whose signatures form a chain, and trailers (Amazon S3 API Reference, "Transferring
// Payload in Multiple Chunks" and "… Including trailing headers"). Bytes are passed on as they arrive; the consumer must discard them if
// this throws.
import { createHash, type Hash, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { sign } from '../../../rules/sigv4/canonical.ts';
import { S3Error } from '../errors.ts';

/** The chain begins with the signature of the request's headers. */
export interface ChunkSigner {
  readonly key: KeyObject;
  readonly timestamp: string;
  readonly scope: string;
  readonly seed: string;
}

interface ChunkOptions {
  readonly signer?: ChunkSigner;
  /** Called at most once, when all trailers have arrived and their signature is valid. */
  readonly onTrailers?: (trailers: ReadonlyMap<string, string>) => void;
}

const mostHeadBytes = 128;
const mostTrailerBytes = 2_048;
/** A signed chunk smaller than this must be the last one with data. */
const leastBytes = 8_192;
const nothing = Buffer.alloc(0);
const emptySha256 = hash('sha256', '', 'hex');

type State = 'HEAD' | 'DATA' | 'DATA_END' | 'TRAILERS' | 'OVER';

/** Returns the data. Throws S3Error if a chunk is malformed or truncated, or its signature is wrong. */
export async function* decodeChunks(source: AsyncIterable<Buffer>, options: ChunkOptions): AsyncGenerator<Buffer> {
  const decoder = new ChunkDecoder(options);
  for await (const piece of source) yield* decoder.take(piece);
  decoder.end();
}

class ChunkDecoder {
  readonly #signer: ChunkSigner | undefined;
  readonly #onTrailers: ChunkOptions['onTrailers'];
  readonly #trailers = new Map<string, string>();
  #state: State = 'HEAD';
  #rest: Buffer = nothing;
  #leftBytes = 0;
  #sawSmall = false;
  #trailerBytes = 0;
  #isTrailerSigned = false;
  /** Hash of the current chunk. */
  #hash: Hash | undefined;
  #claimed = '';
  #previous: string;

  constructor(options: ChunkOptions) {
    this.#signer = options.signer;
    this.#onTrailers = options.onTrailers;
    this.#previous = options.signer?.seed ?? '';
  }

  *take(piece: Buffer): Generator<Buffer> {
    // The remainder is never more than part of a line.
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = nothing;
    while (bytes.length > 0) {
      if (this.#state === 'DATA') {
        const data = bytes.subarray(0, this.#leftBytes);
        bytes = bytes.subarray(data.length);
        this.#hash?.update(data);
        this.#leftBytes -= data.length;
        if (this.#leftBytes === 0) this.#state = 'DATA_END';
        yield data;
        continue;
      }
      const end = bytes.indexOf(0x0a);
      const lineBytes = end < 0 ? bytes.length : end + 1;
      if (lineBytes > (this.#state === 'TRAILERS' ? mostTrailerBytes : mostHeadBytes)) throw malformed();
      if (end < 0) {
        this.#rest = Buffer.from(bytes);
        return;
      }
      this.#line(bytes.toString('latin1', 0, end).replace(/\r$/, ''));
      bytes = bytes.subarray(lineBytes);
    }
  }

  end(): void {
    if (this.#state === 'OVER' && this.#rest.every((byte) => byte === 0x0d)) return;
    throw new S3Error('IncompleteBody', 'The body ended before its last chunk.');
  }

  #line(line: string): void {
    if (this.#state === 'HEAD') this.#head(line);
    else if (this.#state === 'TRAILERS') this.#trailer(line);
    // Some clients end with an extra empty line.
    else if (line !== '') throw malformed();
    else if (this.#state === 'DATA_END') {
      this.#checkSignature(this.#hash?.digest('hex') ?? '');
      this.#state = 'HEAD';
    }
  }

  #head(line: string): void {
    const found = /^([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (found === null) throw malformed();
    const [, size = '', signature] = found;
    if ((signature === undefined) !== (this.#signer === undefined)) throw malformed();
    this.#claimed = signature ?? '';
    this.#leftBytes = Number.parseInt(size, 16);
    if (this.#leftBytes === 0) {
      this.#checkSignature(emptySha256);
      this.#state = 'TRAILERS';
      return;
    }
    if (this.#signer !== undefined) {
      if (this.#sawSmall)
        throw new S3Error(
          'InvalidChunkSizeError',
          `Only the last signed chunk may have less than ${leastBytes} bytes.`,
        );
      this.#sawSmall = this.#leftBytes < leastBytes;
      this.#hash = createHash('sha256');
    }
    this.#state = 'DATA';
  }

  #checkSignature(sha256: string): void {
    if (this.#signer === undefined) return;
    const { timestamp, scope } = this.#signer;
    this.#verify(
      this.#claimed,
      `AWS4-HMAC-SHA256-PAYLOAD\n${timestamp}\n${scope}\n${this.#previous}\n${emptySha256}\n${sha256}`,
    );
  }

  #verify(claimed: string, text: string): void {
    if (this.#signer === undefined) return;
    if (!timingSafeEqual(sign(this.#signer.key, text), Buffer.from(claimed, 'hex')))
      throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk of the body is not the one computed here.');
    this.#previous = claimed;
  }

  #trailer(line: string): void {
    this.#trailerBytes += line.length + 2;
    if (this.#trailerBytes > mostTrailerBytes) throw malformed();
    if (line === '') {
      // A client may end the trailers with an empty line before their signature.
      const mustBeSigned = this.#signer !== undefined && this.#onTrailers !== undefined;
      if (mustBeSigned && !this.#isTrailerSigned) return;
      this.#onTrailers?.(this.#trailers);
      this.#state = 'OVER';
      return;
    }
    const colon = line.indexOf(':');
    if (colon < 1 || this.#onTrailers === undefined || this.#isTrailerSigned) throw malformedTrailer();
    const [name, value] = [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    if (name === 'x-amz-trailer-signature') this.#checkTrailers(value);
    else this.#trailers.set(name, value);
  }

  #checkTrailers(signature: string): void {
    if (this.#signer === undefined || !/^[0-9a-f]{64}$/.test(signature)) throw malformedTrailer();
    const { timestamp, scope } = this.#signer;
    const sha256 = hash('sha256', [...this.#trailers].map(([name, value]) => `${name}:${value}\n`).join(''), 'hex');
    this.#verify(signature, `AWS4-HMAC-SHA256-TRAILER\n${timestamp}\n${scope}\n${this.#previous}\n${sha256}`);
    this.#isTrailerSigned = true;
  }
}

function malformed(): S3Error {
  return new S3Error('IncompleteBody', 'The body is not in the format of aws-chunked.');
}

function malformedTrailer(): S3Error {
  return new S3Error('MalformedTrailerError', 'The trailers of the body are malformed, not announced, or not signed.');
}

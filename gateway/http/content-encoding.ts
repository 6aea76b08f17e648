// Compression of answers, by Accept-Encoding (RFC 9110 section 12.5.3). No answer contains both a secret and text that another site could choose: a
// page of another site can't send a request with the user's bearer token, and so can't guess at one by the length of answers (BREACH).
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import Negotiator from 'negotiator';
import { remembered } from '../../platform/values/remembered.ts';
import { Turns } from '../../platform/work/turns.ts';

type ContentEncoding = 'br' | 'gzip';
export type CompressedFile = Readonly<Record<ContentEncoding, Buffer>>;

/** Smaller bodies fit into one packet anyway. */
const fewestBytes = 1024;
/** The pool of threads is also used for files and names. */
const atOnce = 2;
/** For answers, which are compressed once for one client. Brotli at this quality takes a third of the time of gzip, and yields fewer bytes. */
const answerEffort = 1;
/** For files, which are compressed once. */
const fileEffort = { br: 5, gzip: 6 };

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** A method of Negotiator whose published types lack the option. */
interface Encodings {
  encoding(available: readonly string[], options: { readonly preferred: readonly string[] }): string | undefined;
}

/** The client's choice. Brotli if it accepts both equally. Undefined if the body stays uncompressed. */
export function encodingFor(acceptEncoding: string | undefined): ContentEncoding | undefined {
  return acceptEncoding === undefined ? undefined : chosenEncoding(acceptEncoding).encoding;
}

const chosenEncoding = remembered((acceptEncoding): { readonly encoding: ContentEncoding | undefined } => {
  const negotiator: unknown = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } });
  const chosen = (negotiator as Encodings).encoding(['br', 'gzip', 'identity'], { preferred: ['br', 'gzip'] });
  return { encoding: chosen === 'br' || chosen === 'gzip' ? chosen : undefined };
});

/** Compresses a few answers at once, in threads. Further ones are sent uncompressed, so that none waits. */
export class AnswerCompressor {
  readonly #turns = new Turns(atOnce);

  /** `bytes`: size of the body in UTF-8. Undefined if the body should stay uncompressed. */
  async compress(
    body: string,
    acceptEncoding: string | undefined,
    bytes = Buffer.byteLength(body),
  ): Promise<{ readonly encoding: ContentEncoding; readonly body: Buffer } | undefined> {
    if (bytes < fewestBytes) return undefined;
    const encoding = encodingFor(acceptEncoding);
    if (encoding === undefined || !this.#turns.take()) return undefined;
    try {
      return { encoding, body: await compressed(Buffer.from(body), encoding, answerEffort) };
    } finally {
      this.#turns.give();
    }
  }
}

/** Both encodings of a file. Undefined if they save nothing. */
export async function compressFile(body: Buffer): Promise<CompressedFile | undefined> {
  if (body.length < fewestBytes) return undefined;
  const [br, gzip] = await Promise.all([
    compressed(body, 'br', fileEffort.br),
    compressed(body, 'gzip', fileEffort.gzip),
  ]);
  return { br, gzip };
}

function compressed(body: Buffer, encoding: ContentEncoding, effort: number): Promise<Buffer> {
  if (encoding === 'gzip') return gzipAsync(body, { level: effort });
  const params = { [zlib.BROTLI_PARAM_QUALITY]: effort, [zlib.BROTLI_PARAM_SIZE_HINT]: body.length };
  return brotliAsync(body, { params });
}

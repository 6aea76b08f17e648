// Files of backups as objects under a prefix. A long one is uploaded in parts, and there is no object before all of them are in the store.
import { Readable } from 'node:stream';
import { escapeXml } from '../platform/xml/write-xml.ts';
import { fault } from './faults.ts';
import type { Place } from './place.ts';
import { childText, type S3Client, xmlOf } from './s3-client.ts';

const leastPartBytes = 8 * 1024 * 1024;
/** S3 takes 10,000. Encryption makes a file a little larger than was expected. */
const mostParts = 9_000;
/** A download goes on after a cut this often without a byte in between. */
const mostCuts = 5;

export class S3Place implements Place {
  readonly shown: string;
  readonly #client: S3Client;
  /** Ends with a slash, or is empty. */
  readonly #keys: string;

  constructor(client: S3Client, prefix: string) {
    this.#client = client;
    this.#keys = prefix === '' ? '' : `${prefix}/`;
    this.shown = `s3://${client.settings.bucket}${prefix === '' ? '' : `/${prefix}`}`;
  }

  at(name: string): Place {
    return new S3Place(this.#client, `${this.#keys}${name}`);
  }

  async read(name: string): Promise<Readable | undefined> {
    const first = await this.#get(name, 0, undefined);
    return first && Readable.from(this.#parts(name, first), { objectMode: false });
  }

  async readText(name: string): Promise<string | undefined> {
    const found = await this.read(name);
    return found && Buffer.concat(await found.toArray()).toString();
  }

  async write(name: string, source: AsyncIterable<Buffer>, mostBytes: number): Promise<void> {
    const partBytes = Math.max(leastPartBytes, Math.ceil(mostBytes / mostParts));
    let upload: Upload | undefined;
    try {
      for await (const { part, isLast } of inParts(source, partBytes)) {
        if (upload === undefined && isLast) return await this.#put(name, part);
        upload ??= await Upload.begin(this.#client, this.#keys + name);
        await upload.add(part);
      }
      await upload?.finish();
    } catch (error) {
      // What can't be aborted now, the next run aborts.
      await upload?.abort().catch(() => undefined);
      throw error;
    }
  }

  replace(name: string, text: string): Promise<void> {
    return this.#put(name, Buffer.from(text));
  }

  async #put(name: string, body: Buffer): Promise<void> {
    await this.#client.send({ method: 'PUT', key: this.#keys + name, body, doing: `write ${name}` });
  }

  async #get(name: string, from: number, tag: string | undefined): Promise<Download | undefined> {
    const range = from === 0 ? {} : { range: `bytes=${from}-` };
    const headers = { ...range, ...(tag === undefined ? {} : { 'if-match': tag }) };
    const takes = ['NoSuchKey'];
    const answer = await this.#client.open({
      method: 'GET',
      key: this.#keys + name,
      headers,
      doing: `read ${name}`,
      takes,
    });
    return answer.code === '' ? answer : undefined;
  }

  async *#parts(name: string, first: Download): AsyncGenerator<Buffer> {
    const { 'content-length': length, etag } = first.headers;
    const bytes = Number(length);
    let read = 0;
    let cuts = 0;
    for (let each: Download | undefined = first; each !== undefined; each = await this.#get(name, read, etag)) {
      try {
        for await (const part of each.stream as AsyncIterable<Buffer>) {
          read += part.length;
          cuts = 0;
          yield part;
        }
      } catch (error) {
        if (cuts === mostCuts)
          fault(
            `the download of ${this.shown}/${name} is cut off again and again (${(error as Error).message}): try again later`,
          );
      }
      if (read >= bytes || Number.isNaN(bytes)) return;
      cuts += 1;
    }
    fault(`${this.shown}/${name} was removed while it was read: try again`);
  }
}

type Download = Awaited<ReturnType<S3Client['open']>>;

class Upload {
  readonly #client: S3Client;
  readonly #key: string;
  readonly #id: string;
  readonly #tags: string[] = [];

  private constructor(client: S3Client, key: string, id: string) {
    this.#client = client;
    this.#key = key;
    this.#id = id;
  }

  static async begin(client: S3Client, key: string): Promise<Upload> {
    const { body } = await client.send({ method: 'POST', key, query: { uploads: '' }, doing: `write ${key}` });
    const id = childText(xmlOf(body), 'UploadId');
    return id === undefined
      ? fault(`${client.settings.endpoint.origin} began no upload: it is no object store with S3`)
      : new Upload(client, key, id);
  }

  async add(body: Buffer): Promise<void> {
    const query = { partNumber: String(this.#tags.length + 1), uploadId: this.#id };
    const { headers } = await this.#client.send({
      method: 'PUT',
      key: this.#key,
      query,
      body,
      doing: `write ${this.#key}`,
    });
    this.#tags.push(headers.etag ?? '');
  }

  async finish(): Promise<void> {
    const parts = this.#tags.map(
      (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
    );
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const query = { uploadId: this.#id };
    await this.#client.send({ method: 'POST', key: this.#key, query, body, doing: `write ${this.#key}` });
  }

  async abort(): Promise<void> {
    await abortUpload(this.#client, this.#key, this.#id);
  }
}

export async function abortUpload(client: S3Client, key: string, uploadId: string): Promise<void> {
  await client.send({
    method: 'DELETE',
    key,
    query: { uploadId },
    doing: `abort the upload of ${key}`,
    takes: ['NoSuchUpload'],
  });
}

/** Pieces of exactly that size, but for the last one. Holds one of them. */
async function* inParts(
  source: AsyncIterable<Buffer>,
  bytes: number,
): AsyncGenerator<{ readonly part: Buffer; readonly isLast: boolean }> {
  let held: Buffer[] = [];
  let size = 0;
  for await (let rest of source) {
    while (size + rest.length > bytes) {
      const head = rest.subarray(0, bytes - size);
      yield { part: Buffer.concat([...held, head]), isLast: false };
      rest = rest.subarray(head.length);
      [held, size] = [[], 0];
    }
    held.push(rest);
    size += rest.length;
  }
  yield { part: Buffer.concat(held), isLast: true };
}

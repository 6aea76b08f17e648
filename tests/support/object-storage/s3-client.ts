// An S3 client for tests. It signs as the documentation describes, independently of the server's code, and can sign
// wrongly on purpose.
import { createHash, createHmac } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secret: string;
}

export interface Sent {
  readonly method: string;
  /** Path with its query, as sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Headers that are sent but not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
  /** Default: the body's digest. */
  readonly contentSha256?: string;
  readonly at?: Date;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** S3's error code. */
  readonly code: string | undefined;
}

export const sha256 = (body: Buffer | string) => createHash('sha256').update(body).digest('hex');
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();

interface SignedHeaders {
  readonly headers: Record<string, string>;
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  readonly signature: string;
}

export class S3TestClient {
  readonly url: URL;
  readonly credentials: Credentials;
  readonly region: string;
  readonly ca: string | undefined;

  constructor(options: {
    readonly url: string;
    readonly credentials: Credentials;
    readonly region?: string;
    readonly ca?: string;
  }) {
    this.url = new URL(options.url);
    this.credentials = options.credentials;
    this.region = options.region ?? 'us-east-1';
    this.ca = options.ca;
  }

  /** Sends a request that is signed in its Authorization header. */
  send(sent: Sent): Promise<Answer> {
    return this.plain({ ...sent, headers: this.sign(sent).headers });
  }

  sign(sent: Sent): SignedHeaders {
    const contentSha256 = sent.contentSha256 ?? sha256(sent.body ?? '');
    const timestamp = timestampOf(sent.at ?? new Date());
    const signed: Record<string, string> = {
      host: this.url.host,
      'x-amz-content-sha256': contentSha256,
      'x-amz-date': timestamp,
      ...sent.headers,
    };
    const { key, scope, signature, names } = this.#signature(sent, signed, contentSha256, timestamp);
    const authorization = `AWS4-HMAC-SHA256 Credential=${this.credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return { headers: { ...signed, ...sent.unsigned, authorization }, key, timestamp, scope, signature };
  }

  /** The path of a presigned URL. */
  presign(sent: Sent, seconds = 60): string {
    const timestamp = timestampOf(sent.at ?? new Date());
    const signed = { host: this.url.host, ...sent.headers };
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${this.credentials.accessKeyId}/${timestamp.slice(0, 8)}/${this.region}/s3/aws4_request`,
      'X-Amz-Date': timestamp,
      'X-Amz-Expires': String(seconds),
      'X-Amz-SignedHeaders': Object.keys(signed).sort().join(';'),
    });
    const path = `${sent.path}${sent.path.includes('?') ? '&' : '?'}${query}`;
    const { signature } = this.#signature(
      { ...sent, path },
      signed,
      sent.contentSha256 ?? 'UNSIGNED-PAYLOAD',
      timestamp,
    );
    return `${path}&X-Amz-Signature=${signature}`;
  }

  /** Sends a request unchanged. */
  plain(sent: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = this.open(sent);
      request.once('error', reject);
      request.once('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const body = Buffer.concat(pieces);
          const text = body.toString();
          const code = /<Error>.*?<Code>(.*?)<\/Code>/s.exec(text)?.[1];
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text, code });
        });
      });
      // Sent as bytes, because with a string Node would also write the headers in its encoding.
      request.end(Buffer.from(sent.body ?? ''));
    });
  }

  /** Opens a request whose body the caller writes. */
  open(sent: Sent): ClientRequest {
    const headers: Record<string, string | number> = { ...sent.headers };
    const hasLength = 'content-length' in headers || 'transfer-encoding' in headers;
    if (!hasLength && sent.body !== undefined) headers['content-length'] = Buffer.byteLength(sent.body);
    const { hostname: host, port, protocol } = this.url;
    const options = { method: sent.method, path: sent.path, headers, host, port, agent: false } as const;
    return protocol === 'https:' ? httpsRequest({ ...options, ca: this.ca }) : httpRequest(options);
  }

  #signature(sent: Sent, signed: Readonly<Record<string, string>>, contentSha256: string, timestamp: string) {
    const day = timestamp.slice(0, 8);
    const scope = `${day}/${this.region}/s3/aws4_request`;
    const names = Object.keys(signed).sort();
    const [path = '', query = ''] = sent.path.split('?', 2);
    const parameters = [...new URLSearchParams(query)]
      .map(([name, value]) => [encode(name), encode(value)].join('\0'))
      .sort()
      .join('&')
      .replaceAll('\0', '=');
    const canonical = [
      sent.method,
      path
        .split('/')
        .map((segment) => encode(decodeURIComponent(segment)))
        .join('/'),
      parameters,
      ...names.map((name) => `${name}:${signed[name]?.trim()}`),
      '',
      names.join(';'),
      contentSha256,
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
    const parts = [day, this.region, 's3', 'aws4_request'];
    const key = parts.reduce((before: Buffer | string, part) => hmac(before, part), `AWS4${this.credentials.secret}`);
    return { key: key as Buffer, scope, names: names.join(';'), signature: hmac(key, text).toString('hex') };
  }
}

/** A body of signed chunks, with trailers if there are any. */
export function signedChunks(
  { key, timestamp, scope, signature }: Omit<SignedHeaders, 'headers'>,
  chunks: readonly Buffer[],
  trailers?: Readonly<Record<string, string>>,
): Buffer {
  const parts: Buffer[] = [];
  let before = signature;
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    const text = ['AWS4-HMAC-SHA256-PAYLOAD', timestamp, scope, before, sha256(''), sha256(chunk)].join('\n');
    before = hmac(key, text).toString('hex');
    parts.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${before}\r\n`), chunk);
    if (chunk.length > 0) parts.push(Buffer.from('\r\n'));
  }
  if (trailers !== undefined) {
    const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}`);
    const digest = sha256(lines.map((line) => `${line}\n`).join(''));
    const text = ['AWS4-HMAC-SHA256-TRAILER', timestamp, scope, before, digest].join('\n');
    parts.push(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
    parts.push(Buffer.from(`x-amz-trailer-signature:${hmac(key, text).toString('hex')}\r\n`));
  }
  parts.push(Buffer.from('\r\n'));
  return Buffer.concat(parts);
}

export function unsignedChunks(chunks: readonly Buffer[], trailers: Readonly<Record<string, string>>): Buffer {
  const parts = chunks.map((chunk) =>
    Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
  );
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}\r\n`);
  return Buffer.concat([...parts, Buffer.from(`0\r\n${lines.join('')}\r\n`)]);
}

function timestampOf(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, '');
}

function encode(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

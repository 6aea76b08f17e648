// Requests to an object store: signed, with the SHA-256 of each body, and repeated a few times when the store or the network fails.
import { hash } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { readXml, type XmlElement } from '../platform/xml/read-xml.ts';
import {
  canonicalRequest,
  sign,
  stringToSign,
  timestampOf,
  uriEncode,
} from '../subgraphs/object-storage/rules/sigv4/canonical.ts';
import { deriveKey } from '../subgraphs/object-storage/rules/sigv4/signing-keys.ts';
import { isUntrusted, type Refusal, S3Fault, unreachable } from './s3-faults.ts';
import type { S3Settings } from './s3-settings.ts';

const silenceMs = 60_000;
const mostTries = 6;
const firstPauseMs = 200;
const mostAnswerBytes = 8 * 1024 * 1024;
const emptySum = hash('sha256', '');
/** The store or the way to it is to blame, and not the request. */
const isPassing = ({ status, code }: Refusal) => status >= 500 || status === 429 || code === 'RequestTimeout';

interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Of the bucket itself if empty. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** What it does, for a refusal: "write X". */
  readonly doing: string;
  /** Codes that the caller takes as an answer. */
  readonly takes?: readonly string[];
}

interface Opened {
  /** Of a refusal that the caller takes. Empty if the request worked. */
  readonly code: string;
  readonly headers: IncomingHttpHeaders;
  readonly stream: Readable;
}

interface Answer extends Omit<Opened, 'stream'> {
  readonly body: Buffer;
}

export class S3Client {
  readonly settings: S3Settings;

  constructor(settings: S3Settings) {
    this.settings = settings;
  }

  /** Throws BackupFaults. */
  async send(request: S3Request): Promise<Answer> {
    const { stream, ...answer } = await this.open(request);
    return { ...answer, body: await bytesOf(stream) };
  }

  /** The answer with its body still to come. Throws BackupFaults. */
  async open(request: S3Request): Promise<Opened> {
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#once(request).catch((error: unknown) => ({ error }));
      if ('stream' in outcome) return outcome;
      const isLast = tries === mostTries;
      if ('error' in outcome) {
        if (isLast || isUntrusted(outcome.error)) return unreachable(this.settings, outcome.error, tries);
      } else {
        const { code } = outcome;
        if (request.takes?.includes(code)) return { code, headers: outcome.headers, stream: Readable.from([]) };
        if (isLast || !isPassing(outcome)) throw new S3Fault(this.settings, outcome, request.doing);
      }
      await sleep(firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
    }
  }

  async #once(request: S3Request): Promise<Opened | (Refusal & Pick<Opened, 'headers'>)> {
    const response = await this.#answer(request);
    const { statusCode: status = 0, headers } = response;
    // The end of a multipart upload may be refused after its status was sent.
    if (status < 300 && request.method !== 'POST') return { code: '', headers, stream: response };
    const body = await bytesOf(response);
    const root = xmlOf(body);
    if (status < 300 && root?.name !== 'Error') return { code: '', headers, stream: Readable.from([body]) };
    const region = headers['x-amz-bucket-region'];
    return {
      headers,
      status: status < 300 ? 500 : status,
      code: childText(root, 'Code') ?? codeWithoutBody(status),
      message: childText(root, 'Message') ?? '',
      region: typeof region === 'string' ? region : childText(root, 'Region'),
    };
  }

  #answer({ method, key, query = {}, headers = {}, body }: S3Request): Promise<IncomingMessage> {
    const { endpoint, bucket, isPathStyle, ca } = this.settings;
    const parts = [...(isPathStyle ? [bucket] : []), ...(key === '' ? [] : key.split('/'))];
    const rawPath = `/${parts.map(uriEncode).join('/')}`;
    const pairs = Object.entries(query);
    const signed = this.#signed(method, rawPath, pairs, headers, body);
    const search = pairs.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).join('&');
    const path = search === '' ? rawPath : `${rawPath}?${search}`;
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const options = {
      method,
      path,
      headers: { ...signed, ...length },
      host: endpoint.hostname.replace(/^\[|\]$/g, ''),
      port: endpoint.port,
    };
    return new Promise((resolve, reject) => {
      const sent =
        endpoint.protocol === 'https:'
          ? httpsRequest({ ...options, ...(ca === undefined ? {} : { ca }) })
          : httpRequest(options);
      sent.setTimeout(silenceMs, () => sent.destroy(new Error(`no answer for ${silenceMs / 1_000} s`)));
      sent.once('error', reject);
      sent.once('response', resolve);
      sent.end(body);
    });
  }

  #signed(
    method: string,
    rawPath: string,
    pairs: readonly (readonly [string, string])[],
    more: Readonly<Record<string, string>>,
    body: Buffer | undefined,
  ): Record<string, string> {
    const { endpoint, region, accessKeyId, secret, sessionToken } = this.settings;
    const timestamp = timestampOf(Date.now());
    const day = timestamp.slice(0, 8);
    const sum = body === undefined ? emptySum : hash('sha256', body);
    const headers: Record<string, string> = {
      host: endpoint.host,
      'x-amz-content-sha256': sum,
      'x-amz-date': timestamp,
      ...(sessionToken ? { 'x-amz-security-token': sessionToken } : {}),
      ...more,
    };
    const names = Object.keys(headers).sort();
    const canonical = canonicalRequest(
      { method, rawPath, pairs, headers: new Map(Object.entries(headers)) },
      names,
      sum,
    );
    const scope = `${day}/${region}/s3/aws4_request`;
    const signature = sign(deriveKey(secret, day, region), stringToSign(timestamp, scope, canonical)).toString('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
    return { ...headers, authorization };
  }
}

async function bytesOf(response: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    bytes += part.length;
    if (bytes > mostAnswerBytes) throw new Error(`the object store answers with more than ${mostAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Answers to HEAD have no body. */
function codeWithoutBody(status: number): string {
  if (status === 404) return 'NoSuchKey';
  if (status === 412) return 'PreconditionFailed';
  if (status === 403) return 'AccessDenied';
  return status === 503 ? 'SlowDown' : '';
}

export function xmlOf(body: Buffer): XmlElement | undefined {
  try {
    return readXml(body, { mostBytes: mostAnswerBytes });
  } catch {
    return undefined;
  }
}

export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return element?.children.find((each) => each.name === name)?.text;
}

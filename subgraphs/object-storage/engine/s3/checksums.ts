// The checksums that clients send with a body, as headers or trailers (Amazon S3 User Guide, "Checking object integrity").
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { Crc64Nvme } from './crc64-nvme.ts';

export interface RunningDigest {
  update(bytes: Buffer): unknown;
  base64(): string;
}

/** By header name. */
const digests: Readonly<Record<string, { readonly bytes: number; readonly make: () => RunningDigest }>> = {
  'x-amz-checksum-crc32': { bytes: 4, make: () => new Crc32((bytes, before) => crc32(bytes, before)) },
  'x-amz-checksum-crc32c': { bytes: 4, make: () => new Crc32((bytes, before) => crc32c(bytes, before)) },
  'x-amz-checksum-crc64nvme': { bytes: 8, make: () => new Crc64Nvme() },
  'x-amz-checksum-sha1': { bytes: 20, make: () => hashDigest('sha1') },
  'x-amz-checksum-md5': { bytes: 16, make: () => hashDigest('md5') },
  'x-amz-checksum-sha256': { bytes: 32, make: () => hashDigest('sha256') },
  'x-amz-checksum-sha512': { bytes: 64, make: () => hashDigest('sha512') },
};

export const checksumHeaders: readonly string[] = Object.keys(digests);

/** @example x-amz-checksum-crc32 // ChecksumCRC32 */
export function checksumElement(header: string): string {
  return `Checksum${header.slice('x-amz-checksum-'.length).toUpperCase()}`;
}

export function isChecksum(header: string): boolean {
  return Object.hasOwn(digests, header);
}

/** Whether `value` has the form of that header's checksum. */
export function isChecksumOf(header: string, value: string): boolean {
  return isBase64Of(value, digests[header]?.bytes ?? 0);
}

export function isBase64Of(value: string, bytes: number): boolean {
  const read = Buffer.from(value, 'base64');
  return read.length === bytes && read.toString('base64') === value;
}

export function checksumDigest(header: string): RunningDigest {
  const digest = digests[header];
  if (digest === undefined) throw new Error(`${header} is not a checksum`);
  return digest.make();
}

export function hashDigest(name: 'md5' | 'sha1' | 'sha256' | 'sha512'): RunningDigest {
  const hash = createHash(name);
  return { update: (bytes) => hash.update(bytes), base64: () => hash.digest('base64') };
}

class Crc32 implements RunningDigest {
  readonly #next: (bytes: Buffer, before: number) => number;
  #value = 0;

  constructor(next: (bytes: Buffer, before: number) => number) {
    this.#next = next;
  }

  update(bytes: Buffer): void {
    this.#value = this.#next(bytes, this.#value);
  }

  base64(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#value >>> 0);
    return bytes.toString('base64');
  }
}

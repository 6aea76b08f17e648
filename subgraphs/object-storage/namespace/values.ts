// What the values of registers mean: containers, their gates, objects, and uploads in parts. Heads are JSON that a listing shows; a body has an
// object's bytes, or tells which blobs have them.
import type { Version } from '../../../platform/registers/version.ts';
import type { GateState } from '../store/gate.ts';
import type { StoredValue } from '../store/register.ts';
import type { ObjectHeaders, ObjectStat } from './namespace.ts';

/** Names that begin so are not objects: no user can name them. */
export const hidden = '\0';
/** After all hidden names, in the order of UTF-8 bytes. */
export const afterHidden = `${hidden}\u{10ffff}`;
/** Bodies up to this size are in their register's row. Measured: the database's cost passes that of a file between 4 and 8 KiB. */
export const mostInlineBytes = 4_096;

/** An upload in parts is completed so soon after it began; later it is gone. */
export const usualPartsMs = 7 * 86_400_000;

export interface ContainerValue {
  /** 32 hexadecimal digits: the scope of its objects. */
  readonly id: string;
  /** The number of its option. */
  readonly option: number;
  readonly createdAtMs: number;
}

/** `SEALED`: it may be deleted, and takes no changes until that is decided. The state is first: replicas look at it. */
export interface GateValue {
  readonly state: GateState;
  /** Of the container: who finds a gate without it can finish what another began. */
  readonly account: string;
  readonly container: string;
}

/** A blob of an object, in the order of its bytes. */
export interface BlobRef {
  readonly id: string;
  readonly sizeBytes: number;
}

/** The head of an object, short for it is in every listing. */
interface ObjectHead {
  readonly size: number;
  readonly etag: string;
  readonly at: number;
  readonly type: string;
  readonly parts?: number | undefined;
  /** Absent: the bytes are in the body of the row. */
  readonly blobs?: true | undefined;
  /** Absent: that of its container. */
  readonly option?: number | undefined;
  readonly headers?: Partial<Omit<ObjectHeaders, 'contentType' | 'metadata'>> | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ObjectValue {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  readonly headers: ObjectHeaders;
  readonly parts?: number | undefined;
  /** The number of its own option; undefined: that of its container. */
  readonly option?: number | undefined;
  readonly content: { readonly bytes: Buffer } | { readonly blobs: readonly BlobRef[] };
}

export interface UploadValue {
  readonly startedAtMs: number;
  /** It is completed up to this version: then its parts are collected. */
  readonly latest: Version;
  readonly headers: ObjectHeaders;
  /** As of an object. */
  readonly option?: number | undefined;
}

export interface PartValue {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  readonly blobs: readonly BlobRef[];
  /** That of its upload. */
  readonly latest?: Version;
}

export function jsonValue(value: ContainerValue | GateValue | UploadValue | PartValue): StoredValue {
  return { head: JSON.stringify(value) };
}

export function readJson<Value>({ head }: Pick<StoredValue, 'head'>): Value {
  return JSON.parse(head) as Value;
}

export function gateValue(gate: GateValue): StoredValue {
  const { state, account, container } = gate;
  return { head: JSON.stringify({ state, account, container }) };
}

export function gateState(value: Pick<StoredValue, 'head'>): GateValue['state'] {
  return readJson<GateValue>(value).state;
}

export function objectValue(object: ObjectValue): StoredValue {
  const { contentType, metadata, ...headers } = object.headers;
  const isEmpty = Object.values(headers).every((value) => value === undefined);
  const head: ObjectHead = {
    ...{ size: object.sizeBytes, etag: object.etag, at: object.modifiedAtMs, type: contentType, parts: object.parts },
    ...('blobs' in object.content ? { blobs: true } : {}),
    ...(object.option === undefined ? {} : { option: object.option }),
    ...(isEmpty ? {} : { headers }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
  const { content } = object;
  const body = 'blobs' in content ? Buffer.from(JSON.stringify(content.blobs)) : content.bytes;
  return { head: JSON.stringify(head), ...(body.length === 0 ? {} : { body }) };
}

export function readObject(value: StoredValue): ObjectValue {
  const head = readJson<ObjectHead>(value);
  const body = value.body ?? Buffer.alloc(0);
  return {
    ...{ sizeBytes: head.size, etag: head.etag, modifiedAtMs: head.at, parts: head.parts, option: head.option },
    headers: { contentType: head.type, ...head.headers, metadata: head.metadata ?? {} },
    content: head.blobs === true ? { blobs: JSON.parse(body.toString('utf8')) as BlobRef[] } : { bytes: body },
  };
}

/** Of an object. Those of a part of an upload are none's until it is completed. */
export function blobsOf({ head, body }: StoredValue): readonly BlobRef[] {
  const isInBlobs = readJson<{ readonly blobs?: unknown }>({ head }).blobs === true;
  return isInBlobs && body !== undefined ? (JSON.parse(body.toString('utf8')) as BlobRef[]) : [];
}

export function statOf(name: string, version: string, { head }: Pick<StoredValue, 'head'>): ObjectStat {
  const { size, etag, at, type, parts, blobs, option, headers, metadata } = JSON.parse(head) as ObjectHead;
  return {
    ...{ name, version, sizeBytes: size, etag, modifiedAt: new Date(at), parts, hasBlobs: blobs, option },
    ...{ contentType: type, ...headers, metadata: metadata ?? {} },
  };
}

const separator = '\0';

/** Of an upload in parts that has begun. By name first: uploads are listed by it. */
export function uploadName(object: string, uploadId: string): string {
  return `${hidden}u${object}${separator}${uploadId}`;
}

export function readUploadName(name: string): { readonly object: string; readonly uploadId: string } {
  const at = name.lastIndexOf(separator);
  return { object: name.slice(2, at), uploadId: name.slice(at + 1) };
}

export const uploadNames = `${hidden}u`;

export function partNames(uploadId: string): string {
  return `${hidden}p${uploadId}${separator}`;
}

export function partName(uploadId: string, part: number): string {
  return `${partNames(uploadId)}${String(part).padStart(5, '0')}`;
}

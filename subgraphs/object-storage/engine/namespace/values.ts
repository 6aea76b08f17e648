// The meaning of register values: containers, their gates, objects, and multipart uploads. Heads are JSON that a listing shows. A body has
// an object's bytes, or the list of blobs that have them.
import type { Version } from '../../../../platform/registers/version.ts';
import type { GateState } from '../store/gate.ts';
import type { StoredValue } from '../store/register.ts';
import type { Completion } from './completions.ts';
import type { Checksums, ObjectHeaders, ObjectStat } from './namespace.ts';

/** Prefix of names that are not objects: no user can use it. */
export const hidden = '\0';
/** Sorts after all hidden names, in order of UTF-8 bytes. */
export const afterHidden = `${hidden}\u{10ffff}`;
/** Bodies up to this size are stored in their register's row. Measured: a row costs more than a file somewhere between 4 and 8 KiB. */
export const mostInlineBytes = 4_096;

/** A multipart upload expires this long after it began. */
export const usualPartsMs = 7 * 86_400_000;

export interface ContainerValue {
  /** 32 hexadecimal digits: the scope of its objects. */
  readonly id: string;
  /** Number of its option. */
  readonly option: number;
  readonly createdAtMs: number;
}

/** `SEALED`: it may be about to be deleted, and accepts no changes until that is decided. The state comes first because replicas read it. */
export interface GateValue {
  readonly state: GateState;
  /** Account of the container: a process that finds a gate without a container can finish what another began. */
  readonly account: string;
  readonly container: string;
}

/** A blob of an object. They are listed in the order of the object's bytes. */
export interface BlobRef {
  readonly id: string;
  readonly sizeBytes: number;
}

/** The head of an object. It is short because every listing contains it. */
interface ObjectHead {
  readonly size: number;
  readonly etag: string;
  readonly at: number;
  readonly type: string;
  readonly parts?: number | undefined;
  /** Absent if the bytes are in the body of the row. */
  readonly blobs?: true | undefined;
  /** Absent if it is the option of its container. */
  readonly option?: number | undefined;
  /** Absent unless completing a multipart upload made this version. Releases before this one ignore it. */
  readonly completion?: Completion | undefined;
  readonly headers?: Partial<Omit<ObjectHeaders, 'contentType' | 'metadata'>> | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ObjectValue {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  readonly headers: ObjectHeaders;
  readonly parts?: number | undefined;
  /** Number of the object's own option. Undefined if it is the option of its container. */
  readonly option?: number | undefined;
  /** Undefined unless completing a multipart upload made this version. */
  readonly completion?: Completion | undefined;
  readonly content: { readonly bytes: Buffer } | { readonly blobs: readonly BlobRef[] };
}

export interface UploadValue {
  readonly startedAtMs: number;
  /** The highest version with which it may be completed. After that its parts are collected. */
  readonly latest: Version;
  readonly headers: ObjectHeaders;
  /** As for an object. */
  readonly option?: number | undefined;
}

export interface UploadPartValue {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  readonly blobs: readonly BlobRef[];
  /** Absent if it was uploaded without checksums. */
  readonly checksums?: Checksums;
  /** The same as for its upload. */
  readonly latest?: Version;
}

export function jsonValue(value: ContainerValue | GateValue | UploadValue | UploadPartValue): StoredValue {
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
    ...(object.completion === undefined ? {} : { completion: object.completion }),
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
    completion: head.completion,
    headers: { contentType: head.type, ...head.headers, metadata: head.metadata ?? {} },
    content: head.blobs === true ? { blobs: JSON.parse(body.toString('utf8')) as BlobRef[] } : { bytes: body },
  };
}

/** Blobs of an object. A part's blobs belong to no object until the upload is completed. */
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

/** Name of an unfinished multipart upload. The object's name comes first because uploads are listed by it. */
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

// Objects and multipart uploads, over the registers of a container. Bytes are on disk at a majority before the register that refers to them
// is written, so every reference can be read.
import { createHash, randomBytes } from 'node:crypto';
import { FateUnknownError, OvertakenError } from '../../../../platform/registers/errors.ts';
import type { Version, VersionClock } from '../../../../platform/registers/version.ts';
import { noObject, ObjectError } from '../../wire/object-error.ts';
import type { RegisterKey, StoredValue } from '../store/register.ts';
import type { BlobOwner, Blobs } from './blobs.ts';
import { type Completion, completionOf, repetitionOf } from './completions.ts';
import { hasConditions, mustAllowCopy, mustAllowRead, refusalOf } from './conditions.ts';
import { type Container, Containers, optionNamed } from './containers.ts';
import { bytesOf, type Stored, store } from './content.ts';
import { asObjectError } from './failures.ts';
import { listObjects } from './listing.ts';
import type { Names } from './names.ts';
import type {
  Caller,
  CompletionLimits,
  Conditions,
  ContainerQuery,
  ContainerStat,
  CopySource,
  GetOptions,
  Got,
  Listing,
  ListQuery,
  Namespace,
  NearestGot,
  NearestOptions,
  ObjectHeaders,
  ObjectStat,
  OptionWish,
  StoredUploadPart,
  Upload,
  UploadedPart,
} from './namespace.ts';
import { NearestObjects, type NearestReads } from './nearest.ts';
import { OpenUploads } from './open-uploads.ts';
import type { Topology } from './topology.ts';
import {
  jsonValue,
  type ObjectValue,
  objectValue,
  partName,
  partNames,
  readJson,
  readObject,
  readUploadName,
  statOf,
  type UploadPartValue,
  type UploadValue,
  uploadName,
  uploadNames,
  usualPartsMs,
} from './values.ts';

interface ObjectsOptions {
  readonly names: Names;
  readonly topology: Topology;
  readonly blobs: Blobs;
  /** The clock of `names`. */
  readonly clock: VersionClock;
  /** A multipart upload expires this long after it began; default 7 days. */
  readonly partsMs?: number | undefined;
  /** Most unfinished multipart uploads in a container; default 1,000. */
  readonly mostUploads?: number | undefined;
  /** Without it NEAREST reads are refused. */
  readonly nearest?: NearestReads | undefined;
}

const mostNameBytes = 1_024;
const mostMetadataBytes = 2_048;
const mostHeaderBytes = 8_192;
/** Of the 16 KiB of a register's head. The rest is for sizes, times and the entity tag. */
const mostEncodedBytes = 15 * 1024;
/** A listing continues after a common prefix with one more character, of four bytes. */
const mostPositionBytes = mostNameBytes + 4;
const mostParts = 10_000;
const usualUploads = 1_000;
/** S3's limit for every part but the last. */
const leastPartBytes = 5 * 1024 ** 2;
const uploadIds = /^[0-9a-f]{32}$/;

export class Objects implements Namespace {
  readonly #names: Names;
  readonly #topology: Topology;
  readonly #containers: Containers;
  readonly #blobs: Blobs;
  readonly #clock: VersionClock;
  readonly #partsMs: number;
  readonly #openUploads: OpenUploads;
  readonly #nearest: NearestObjects | undefined;

  constructor({ names, topology, blobs, clock, partsMs = usualPartsMs, ...others }: ObjectsOptions) {
    const { mostUploads = usualUploads, nearest } = others;
    this.#names = names;
    this.#topology = topology;
    this.#containers = new Containers({ names, topology });
    this.#blobs = blobs;
    this.#clock = clock;
    this.#partsMs = partsMs;
    this.#openUploads = new OpenUploads({ names, clock, most: mostUploads });
    this.#nearest = nearest && new NearestObjects({ reads: nearest, topology, blobs });
  }

  async containers(caller: Caller, query: ContainerQuery): Promise<readonly ContainerStat[]> {
    mustBeListable(query);
    return told(this.#containers.list(caller, query));
  }

  async createContainer(
    caller: Caller,
    name: string,
    options: { option?: string | undefined; id?: string | undefined } = {},
  ): Promise<ContainerStat> {
    mustWrite(caller);
    return told(this.#containers.create(caller, name, options));
  }

  statContainer(caller: Caller, name: string): Promise<ContainerStat> {
    return told(this.#containers.stat(caller, name));
  }

  async deleteContainer(caller: Caller, name: string): Promise<void> {
    mustWrite(caller);
    return told(this.#containers.delete(caller, name));
  }

  async put(
    caller: Caller,
    containerName: string,
    name: string,
    upload: Upload & OptionWish,
    headers: ObjectHeaders,
    conditions?: Conditions,
  ): Promise<ObjectStat> {
    mustWrite(caller);
    mustName(name);
    mustFit(headers);
    const chosen = this.#ringOf(upload);
    let stored: { readonly scope: string; readonly of: Stored } | undefined;
    return this.#in(caller, containerName, async (container) => {
      // Refused before the body is read. Decided again when the body has arrived.
      if (hasConditions(conditions) && stored === undefined)
        mustNotRefuse(refusalOf(conditions, (await this.#find(container, name))?.object));
      const option = ownOption(container, chosen);
      const owner = ownerOf(container, name, option);
      // An object with its own option is never stored in its row, however small it is.
      stored ??= {
        scope: container.id,
        of: await store(this.#blobs, owner, upload, option === undefined ? {} : { inRow: 0 }),
      };
      let { of } = stored;
      if (stored.scope !== container.id && (chosen !== undefined || 'blobs' in of.content))
        throw new ObjectError(
          'NO_QUORUM',
          `${containerName} was deleted and created again in the meantime: send the request again`,
        );
      const write = ({ sizeBytes, md5: etag, content, newest }: Stored) => {
        const object = { sizeBytes, etag, modifiedAtMs: Date.now(), headers, option, content };
        return this.#write(container, name, object, conditions, newest);
      };
      try {
        return await write(of);
      } catch (error) {
        if (!(error instanceof OvertakenError)) throw error;
        of = await this.#storeAfter(error.after, owner, of);
        stored = { scope: container.id, of };
        return write(of);
      }
    });
  }

  /** A blob records the highest version with which its name may refer to it. If the name already has a later version, the blob is copied. */
  #storeAfter(after: Version, owner: BlobOwner, { sizeBytes, content }: Stored): Promise<Stored> {
    const body = bytesOf(this.#blobs, owner.name, { sizeBytes, content }, undefined);
    return store(this.#blobs, owner, { sizeBytes, body }, { inRow: 0, after });
  }

  async stat(caller: Caller, containerName: string, name: string, conditions?: Conditions): Promise<ObjectStat> {
    mustName(name);
    return this.#in(caller, containerName, async (container) => {
      const { object, stat } = await this.#mustFind(container, name);
      if (conditions !== undefined) mustAllowRead(conditions, object);
      return stat;
    });
  }

  async get(caller: Caller, containerName: string, name: string, options: GetOptions = {}): Promise<Got> {
    mustName(name);
    return this.#in(caller, containerName, async (container) => {
      const { object, stat } = await this.#mustFind(container, name);
      if (options.conditions !== undefined) mustAllowRead(options.conditions, object);
      const range = options.range?.(object.sizeBytes);
      return { stat, range, body: bytesOf(this.#blobs, name, object, range) };
    });
  }

  async getNearest(caller: Caller, container: string, name: string, options: NearestOptions): Promise<NearestGot> {
    mustName(name);
    if (this.#nearest === undefined)
      throw new ObjectError('NEAREST_NOT_ALLOWED', 'this process has no replica: ask a server of a cluster');
    return told(this.#nearest.get(caller, container, name, options));
  }

  async delete(caller: Caller, containerName: string, name: string, conditions?: Conditions): Promise<void> {
    mustWrite(caller);
    mustName(name);
    await this.#in(caller, containerName, async (container) => {
      const key = keyIn(container, name);
      if (!hasConditions(conditions)) return void (await this.#names.write(key, undefined));
      await this.#change(key, conditions, undefined);
    });
  }

  async copy(
    caller: Caller,
    from: CopySource,
    to: { readonly container: string; readonly name: string } & OptionWish,
    headers: ObjectHeaders | 'KEEP',
    conditions?: Conditions,
  ): Promise<ObjectStat> {
    mustWrite(caller);
    mustName(from.name);
    mustName(to.name);
    if (headers !== 'KEEP') mustFit(headers);
    const chosen = this.#ringOf(to);
    const source = await this.#in(caller, from.container, async (container) => {
      const { object } = await this.#mustFind(container, from.name);
      if (from.conditions !== undefined) mustAllowCopy(from.conditions, object);
      return { container, object };
    });
    const { object } = source;
    const kept = headers === 'KEEP' ? object.headers : headers;
    const isItself = from.container === to.container && from.name === to.name;
    if (isItself && (chosen === undefined || ownOption(source.container, chosen) === object.option))
      return this.#in(caller, to.container, async (container) => {
        if (container.id !== source.container.id) throw noObject(from.name);
        return this.#rewrite(container, to.name, kept, {
          ...conditions,
          ifMatch: conditions?.ifMatch ?? [object.etag],
        });
      });
    if (isItself && conditions !== undefined) mustNotRefuse(refusalOf(conditions, object));
    const { sizeBytes, etag } = object;
    const upload = { sizeBytes, option: to.option, body: bytesOf(this.#blobs, from.name, object, undefined) };
    // A write in between must not be replaced by the older content.
    const unchanged = isItself ? { ...conditions, ifMatch: [etag] } : conditions;
    return this.put(caller, to.container, to.name, upload, kept, unchanged);
  }

  async list(caller: Caller, containerName: string, query: ListQuery): Promise<Listing> {
    mustBeListable(query);
    return this.#in(caller, containerName, (container) => listObjects(this.#names, container, query));
  }

  async beginUpload(
    caller: Caller,
    containerName: string,
    name: string,
    headers: ObjectHeaders,
    wish: OptionWish = {},
  ): Promise<string> {
    mustWrite(caller);
    mustName(name);
    mustFit(headers);
    const chosen = this.#ringOf(wish);
    return this.#in(caller, containerName, async (container) => {
      await this.#openUploads.begin(container);
      const uploadId = randomBytes(16).toString('hex');
      const { version } = await this.#names.read(keyIn(container, name));
      const value: UploadValue = {
        ...{ startedAtMs: Date.now(), latest: this.#clock.lastWithin(this.#partsMs, version), headers },
        option: ownOption(container, chosen),
      };
      await this.#names.write(keyIn(container, uploadName(name, uploadId)), jsonValue(value));
      return uploadId;
    });
  }

  async putPart(
    caller: Caller,
    containerName: string,
    name: string,
    uploadId: string,
    part: number,
    upload: Upload,
  ): Promise<StoredUploadPart> {
    mustWrite(caller);
    if (!Number.isInteger(part) || part < 1 || part > mostParts)
      throw new ObjectError('INVALID_PART', `part numbers are 1 to ${mostParts}, not ${part}`);
    let stored: { readonly scope: string; readonly of: Stored } | undefined;
    return this.#in(caller, containerName, async (container) => {
      const { latest, option } = await this.#upload(container, name, uploadId);
      if (option !== undefined && this.#topology.isEnding(option))
        throw new ObjectError(
          'NO_OPTION',
          'the option of this upload is being deleted: begin the upload again with another one',
        );
      const [owner, options] = [ownerOf(container, name, option), { inRow: 0, newest: latest }];
      stored ??= { scope: container.id, of: await store(this.#blobs, owner, upload, options) };
      const { sizeBytes, md5, content, newest } = stored.of;
      if (stored.scope !== container.id || !('blobs' in content)) throw noUpload(uploadId);
      const { checksums = {} } = upload;
      const value: UploadPartValue = {
        ...{ sizeBytes, etag: md5, modifiedAtMs: Date.now(), blobs: content.blobs, latest },
        ...(Object.keys(checksums).length === 0 ? {} : { checksums }),
      };
      await notOvertaken(
        uploadId,
        this.#names.write(keyIn(container, partName(uploadId, part)), jsonValue(value), { latest: newest }),
      );
      return { part, etag: md5, sizeBytes, modifiedAt: new Date(value.modifiedAtMs) };
    });
  }

  async completeUpload(
    caller: Caller,
    containerName: string,
    name: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    limits: CompletionLimits = {},
  ): Promise<ObjectStat> {
    mustWrite(caller);
    const completion = completionOf(uploadId, parts, limits.conditions);
    return this.#in(caller, containerName, async (container) => {
      try {
        return await this.#complete(container, name, parts, limits, completion);
      } catch (error) {
        if (!mayBeCompleted(error)) throw error;
        const made = await this.#find(container, name).catch((failure: unknown) => {
          throw error instanceof FateUnknownError ? error : failure;
        });
        if (made === undefined || repetitionOf(completion, made.object.completion) !== 'SAME') throw error;
        mustHaveSize(made.object, limits);
        return made.stat;
      }
    });
  }

  async #complete(
    container: Container,
    name: string,
    parts: readonly UploadedPart[],
    limits: CompletionLimits,
    completion: Completion,
  ): Promise<ObjectStat> {
    const { uploadId } = completion;
    const { headers, latest, option } = await this.#upload(container, name, uploadId);
    const stored = new Map<number, UploadPartValue>();
    for await (const [part, value] of this.#parts(container, uploadId, 0)) stored.set(part, value);
    const chosen = partsOf(parts, stored);
    const object: ObjectValue & { readonly completion: Completion } = {
      sizeBytes: chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      etag: `${md5OfMd5s(chosen)}-${chosen.length}`,
      ...{ modifiedAtMs: Date.now(), headers, parts: chosen.length, option, completion },
      content: { blobs: chosen.flatMap(({ blobs }) => blobs).filter(({ sizeBytes }) => sizeBytes > 0) },
    };
    mustHaveSize(object, limits);
    const stat = await notOvertaken(uploadId, this.#writeOnce(container, name, object, limits.conditions, latest));
    // The object exists. What is left of the upload ends when the upload expires.
    await this.#forgetUpload(container, name, uploadId, [...stored.keys()]).catch(() => undefined);
    return stat;
  }

  async abortUpload(caller: Caller, containerName: string, name: string, uploadId: string): Promise<void> {
    mustWrite(caller);
    await this.#in(caller, containerName, async (container) => {
      await this.#upload(container, name, uploadId);
      const parts: number[] = [];
      for await (const [part] of this.#parts(container, uploadId, 0)) parts.push(part);
      await this.#forgetUpload(container, name, uploadId, parts);
    });
  }

  async listParts(
    caller: Caller,
    containerName: string,
    name: string,
    uploadId: string,
    after: number,
    limit: number,
  ): Promise<{ readonly parts: readonly StoredUploadPart[]; readonly isTruncated: boolean }> {
    return this.#in(caller, containerName, async (container) => {
      await this.#upload(container, name, uploadId);
      const parts: StoredUploadPart[] = [];
      for await (const [part, { etag, sizeBytes, modifiedAtMs }] of this.#parts(container, uploadId, after)) {
        if (parts.length === limit) return { parts, isTruncated: true };
        parts.push({ part, etag, sizeBytes, modifiedAt: new Date(modifiedAtMs) });
      }
      return { parts, isTruncated: false };
    });
  }

  async listUploads(
    caller: Caller,
    containerName: string,
    { prefix, afterName, afterId, limit }: { prefix: string; afterName: string; afterId: string; limit: number },
  ): ReturnType<Namespace['listUploads']> {
    mustBeListable({ prefix, after: afterName });
    if (afterId !== '' && !uploadIds.test(afterId))
      throw new ObjectError('INVALID_NAME', 'the upload id after which to list has 32 hexadecimal digits');
    return this.#in(caller, containerName, async ({ ring, id: scope }) => {
      const now = this.#clock.next();
      const uploads: { readonly name: string; readonly uploadId: string; readonly startedAt: Date }[] = [];
      // Without an id: after all uploads of that name.
      let after = afterName === '' ? '' : uploadName(afterName, afterId === '' ? '\u{10ffff}' : afterId);
      for (;;) {
        const page = await this.#names.page({ ring, scope, prefix: `${uploadNames}${prefix}`, after, limit: 1000 });
        for (const row of page.rows) {
          const { object, uploadId } = readUploadName(row.name);
          const { startedAtMs, latest } = readJson<UploadValue>(row);
          // Expired: it can be neither completed nor aborted.
          if (latest < now) continue;
          if (uploads.length === limit) return { uploads, isTruncated: true };
          uploads.push({ name: object, uploadId, startedAt: new Date(startedAtMs) });
        }
        if (page.next === undefined) return { uploads, isTruncated: false };
        after = page.next;
      }
    });
  }

  /** @throws ObjectError NO_OPTION */
  #ringOf({ option }: OptionWish): number | undefined {
    return option === undefined ? undefined : optionNamed(this.#topology, option).number;
  }

  async #in<Result>(caller: Caller, name: string, act: (container: Container) => Promise<Result>): Promise<Result> {
    return told(this.#containers.run(caller, name, act));
  }

  async #write(
    container: Container,
    name: string,
    object: ObjectValue,
    conditions: Conditions | undefined,
    latest?: Version,
  ): Promise<ObjectStat> {
    const key = keyIn(container, name);
    const value = objectValue(object);
    if (!hasConditions(conditions)) return statOf(name, await this.#names.write(key, value, { latest }), value);
    return statOf(name, await this.#change(key, conditions, value, latest), value);
  }

  /** Keeps the object if the same request made it: conditions are about the object before that, and a copy of the request may run elsewhere. */
  async #writeOnce(
    container: Container,
    name: string,
    object: ObjectValue & { readonly completion: Completion },
    conditions: Conditions | undefined,
    latest: Version,
  ): Promise<ObjectStat> {
    const { completion } = object;
    const value = objectValue(object);
    const { written, result } = await this.#names.update<ObjectError | undefined>(
      keyIn(container, name),
      ({ value: found }) => {
        const there = found === undefined ? undefined : readObject(found);
        const repetition = repetitionOf(completion, there?.completion);
        if (repetition === 'SAME') return { keeps: true, result: undefined };
        const refusal = repetition === 'OTHER' ? noUpload(completion.uploadId) : refusalOf(conditions ?? {}, there);
        return refusal === undefined ? { keeps: false, value, result: undefined } : { keeps: true, result: refusal };
      },
      { latest },
    );
    mustNotRefuse(result);
    return statOf(name, written.version, written.value ?? value);
  }

  /** A refusal too is returned only when the value that it is based on is at a majority: a later reader must not find an older value. */
  async #change(
    key: RegisterKey,
    conditions: Conditions,
    value: StoredValue | undefined,
    latest?: Version,
  ): Promise<Version> {
    const { written, result } = await this.#names.update<ObjectError | undefined>(
      key,
      ({ value: found }) => {
        const refusal = refusalOf(conditions, found === undefined ? undefined : readObject(found));
        if (refusal !== undefined) return { keeps: true, result: refusal };
        return found === undefined && value === undefined
          ? { keeps: true, result: undefined }
          : { keeps: false, value, result: undefined };
      },
      { latest },
    );
    mustNotRefuse(result);
    return written.version;
  }

  /** Writes the same bytes with other headers. It refers to the blobs that it finds, so none of them is being deleted. */
  async #rewrite(
    container: Container,
    name: string,
    headers: ObjectHeaders,
    conditions: Conditions,
  ): Promise<ObjectStat> {
    const { written, result } = await this.#names.update<ObjectError | undefined>(
      keyIn(container, name),
      ({ value }) => {
        if (value === undefined) return { keeps: true, result: noObject(name) };
        const found = readObject(value);
        const refusal = refusalOf(conditions, found);
        if (refusal !== undefined) return { keeps: true, result: refusal };
        return {
          keeps: false,
          value: objectValue({ ...found, headers, modifiedAtMs: Date.now(), completion: undefined }),
          result: undefined,
        };
      },
    );
    mustNotRefuse(result);
    if (written.value === undefined) throw noObject(name);
    return statOf(name, written.version, written.value);
  }

  async #find(
    container: Container,
    name: string,
  ): Promise<{ readonly object: ObjectValue; readonly stat: ObjectStat } | undefined> {
    const { version, value } = await this.#names.read(keyIn(container, name));
    return value === undefined ? undefined : { object: readObject(value), stat: statOf(name, version, value) };
  }

  async #mustFind(container: Container, name: string) {
    const found = await this.#find(container, name);
    if (found === undefined) throw noObject(name);
    return found;
  }

  async #upload(container: Container, name: string, uploadId: string): Promise<UploadValue> {
    mustName(name);
    if (!uploadIds.test(uploadId)) throw noUpload(uploadId);
    const { value } = await this.#names.read(keyIn(container, uploadName(name, uploadId)));
    const upload = value === undefined ? undefined : readJson<UploadValue>(value);
    if (upload === undefined || upload.latest < this.#clock.next()) throw noUpload(uploadId);
    return upload;
  }

  /** In order of part numbers. */
  async *#parts(
    { ring, id: scope }: Container,
    uploadId: string,
    after: number,
  ): AsyncGenerator<readonly [number, UploadPartValue], void> {
    const prefix = partNames(uploadId);
    for (let position = partName(uploadId, after); ; ) {
      const page = await this.#names.page({ ring, scope, prefix, after: position, limit: 1000 });
      for (const row of page.rows) yield [Number(row.name.slice(prefix.length)), readJson<UploadPartValue>(row)];
      if (page.next === undefined) return;
      position = page.next;
    }
  }

  /** The upload first: without it nothing reads the parts, and remaining ones are collected. */
  async #forgetUpload(container: Container, name: string, uploadId: string, parts: readonly number[]): Promise<void> {
    await this.#names.write(keyIn(container, uploadName(name, uploadId)), undefined);
    this.#openUploads.ended(container);
    for (let from = 0; from < parts.length; from += 100)
      await Promise.all(
        parts
          .slice(from, from + 100)
          .map((part) => this.#names.write(keyIn(container, partName(uploadId, part)), undefined)),
      );
  }
}

function keyIn({ ring, id: scope }: Container, name: string) {
  return { ring, scope, name };
}

function ownerOf({ ring, id: scope }: Container, name: string, option = ring): BlobOwner {
  return { ring, blobRing: option, scope, name };
}

/** Undefined if it is the container's option. */
function ownOption({ ring }: Container, chosen: number | undefined): number | undefined {
  return chosen === ring ? undefined : chosen;
}

function partsOf(
  wanted: readonly UploadedPart[],
  stored: ReadonlyMap<number, UploadPartValue>,
): readonly UploadPartValue[] {
  if (wanted.length === 0) throw new ObjectError('INVALID_PART', 'name at least one part');
  let before = 0;
  return wanted.map(({ part, etag, checksums = {} }, index) => {
    const value = stored.get(part);
    if (part <= before) throw new ObjectError('INVALID_PART', 'list the parts in rising order, each once');
    before = part;
    if (value === undefined || value.etag !== etag)
      throw new ObjectError('INVALID_PART', `part ${part} does not exist, or has another entity tag`);
    if (Object.entries(checksums).some(([name, checksum]) => value.checksums?.[name] !== checksum))
      throw new ObjectError('INVALID_PART', `part ${part} was not uploaded with this checksum`);
    if (index < wanted.length - 1 && value.sizeBytes < leastPartBytes)
      throw new ObjectError('PART_TOO_SMALL', `part ${part} has less than 5 MiB: only the last one may be smaller`);
    return value;
  });
}

/**
 * Whether another request may have completed the upload. A server that completes one writes the object, then deletes the upload, then its
 * parts. A write that runs into that of another server has an unknown fate.
 */
function mayBeCompleted(error: unknown): boolean {
  if (error instanceof FateUnknownError) return true;
  return error instanceof ObjectError && (error.code === 'NO_UPLOAD' || error.code === 'INVALID_PART');
}

function mustHaveSize(object: ObjectValue, { sizeBytes }: CompletionLimits): void {
  if (sizeBytes === undefined || sizeBytes === object.sizeBytes) return;
  throw new ObjectError('INVALID_PART', `the parts have ${object.sizeBytes} bytes together, not ${sizeBytes}`);
}

/** The way S3 clients compute it to check an upload. */
function md5OfMd5s(parts: readonly UploadPartValue[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag, 'hex'));
  return hash.digest('hex');
}

function mustNotRefuse(refusal: ObjectError | undefined): void {
  if (refusal !== undefined) throw refusal;
}

function mustWrite({ canWrite, name }: Caller): void {
  if (!canWrite) throw new ObjectError('NOT_ALLOWED', `${name} may read only`);
}

function mustName(name: string): void {
  if (name === '' || Buffer.byteLength(name, 'utf8') > mostNameBytes)
    throw new ObjectError('INVALID_NAME', `an object name has 1 to ${mostNameBytes} bytes`);
  if (name.includes('\0') || !name.isWellFormed())
    throw new ObjectError('INVALID_NAME', 'an object name is UTF-8 without NUL characters');
}

function mustFit(headers: ObjectHeaders): void {
  const { metadata, ...others } = headers;
  const bytes = (texts: readonly (string | undefined)[]) =>
    texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? '', 'utf8'), 0);
  if (bytes(Object.entries(metadata).flat()) > mostMetadataBytes)
    throw new ObjectError('TOO_LARGE', `metadata has at most ${mostMetadataBytes} bytes, including the names`);
  if (bytes(Object.values(others)) > mostHeaderBytes)
    throw new ObjectError('TOO_LARGE', `the stored headers of an object have at most ${mostHeaderBytes} bytes`);
  if (bytes([JSON.stringify(headers)]) > mostEncodedBytes)
    throw new ObjectError(
      'TOO_LARGE',
      `the stored headers and metadata of an object have at most ${mostEncodedBytes} bytes as JSON, where quotes and backslashes count twice`,
    );
}

/** No object has a longer name. */
function mustBeListable({ prefix, after }: Pick<ListQuery, 'prefix' | 'after'>): void {
  if (Buffer.byteLength(prefix, 'utf8') > mostNameBytes)
    throw new ObjectError('INVALID_NAME', `a prefix has at most ${mostNameBytes} bytes, like a name`);
  if (Buffer.byteLength(after, 'utf8') > mostPositionBytes)
    throw new ObjectError('INVALID_NAME', `the position after which to list has at most ${mostPositionBytes} bytes`);
}

function noUpload(uploadId: string): ObjectError {
  return new ObjectError(
    'NO_UPLOAD',
    `there is no upload ${uploadId.slice(0, 40)}: it was completed or aborted, never existed, or began more than 7 days ago`,
  );
}

/** The bound of its blobs was set when it began and can't be raised. */
async function notOvertaken<Result>(uploadId: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof OvertakenError)) throw error;
    const message = `the upload ${uploadId} can't be completed, because the object was written while a clock was ahead: begin the upload again`;
    throw new ObjectError('NO_UPLOAD', message, { cause: error });
  }
}

async function told<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw asObjectError(error);
  }
}

// A namespace in memory, for tests of code that uses the port. It implements the port strictly, and the contract suite
// runs against it too.
import { createHash, randomBytes } from 'node:crypto';
import type {
  Caller,
  Checksums,
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
  StoredUploadPart,
  Upload,
  UploadedPart,
} from '../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { ObjectError, type ObjectErrorCode } from '../../../subgraphs/object-storage/wire/object-error.ts';

interface Stored {
  readonly stat: ObjectStat;
  readonly body: Buffer;
  /** The request that completed it from a multipart upload. */
  readonly completion?: string;
}

interface Begun {
  readonly name: string;
  readonly headers: ObjectHeaders;
  readonly startedAt: Date;
  readonly parts: Map<
    number,
    { readonly stat: StoredUploadPart; readonly body: Buffer; readonly checksums: Checksums }
  >;
}

interface Container {
  readonly stat: ContainerStat;
  readonly objects: Map<string, Stored>;
  readonly uploads: Map<string, Begun>;
}

const pieceBytes = 1024 * 1024;
const leastPartBytes = 5 * 1024 * 1024;
const mostNameBytes = 1_024;

export class MemoryNamespace implements Namespace {
  /** By account, then name. */
  readonly #accounts = new Map<string, Map<string, Container>>();
  readonly #options: readonly string[];
  /** The refusal of the next operations. */
  #refusal: { readonly code: ObjectErrorCode; readonly message: string } | undefined;
  #versions = 0;

  constructor({ options = ['standard', 'economy'] }: { readonly options?: readonly string[] } = {}) {
    this.#options = options;
  }

  refuse(code: ObjectErrorCode | undefined, message = `refused with ${code}`): void {
    this.#refusal = code === undefined ? undefined : { code, message };
  }

  async containers(caller: Caller, { prefix, after, limit }: ContainerQuery): Promise<readonly ContainerStat[]> {
    this.#mayFail();
    return [...this.#of(caller).values()]
      .map(({ stat }) => stat)
      .filter(({ name }) => name.startsWith(prefix) && byBytes(name, after) > 0)
      .sort((one, other) => byBytes(one.name, other.name))
      .slice(0, limit);
  }

  async createContainer(
    caller: Caller,
    name: string,
    options: { readonly option?: string | undefined } = {},
  ): Promise<ContainerStat> {
    this.#mayWrite(caller);
    const option = options.option ?? this.#options[0] ?? '';
    if (!this.#options.includes(option)) throw new ObjectError('NO_OPTION', `There is no option ${option}.`);
    if (this.#of(caller).has(name)) throw new ObjectError('CONTAINER_EXISTS', `There is a container ${name}.`);
    const stat = { name, id: id(), option, createdAt: new Date() };
    this.#of(caller).set(name, { stat, objects: new Map(), uploads: new Map() });
    return stat;
  }

  async statContainer(caller: Caller, name: string): Promise<ContainerStat> {
    this.#mayFail();
    return this.#container(caller, name).stat;
  }

  async deleteContainer(caller: Caller, name: string): Promise<void> {
    this.#mayWrite(caller);
    const { objects } = this.#container(caller, name);
    if (objects.size > 0) throw new ObjectError('CONTAINER_NOT_EMPTY', `The container ${name} is not empty.`);
    this.#of(caller).delete(name);
  }

  async put(
    caller: Caller,
    container: string,
    name: string,
    upload: Upload,
    headers: ObjectHeaders,
    conditions: Conditions = {},
  ): Promise<ObjectStat> {
    this.#mayWrite(caller);
    checkName(name);
    this.#container(caller, container);
    const body = await read(upload);
    this.#mayFail();
    const { objects } = this.#container(caller, container);
    checkWrite(objects.get(name), conditions);
    return this.#store(objects, name, body, headers, md5(body));
  }

  async stat(caller: Caller, container: string, name: string, conditions: Conditions = {}): Promise<ObjectStat> {
    this.#mayFail();
    const { stat } = this.#object(caller, container, name);
    checkRead(stat, conditions);
    return stat;
  }

  async getNearest(caller: Caller, container: string, name: string, options: NearestOptions): Promise<NearestGot> {
    const asOfMs = performance.now();
    options.told(asOfMs);
    return {
      ...(await this.get(caller, container, name, options)),
      container: this.#container(caller, container).stat,
      asOfMs,
    };
  }

  async get(caller: Caller, container: string, name: string, options: GetOptions = {}): Promise<Got> {
    this.#mayFail();
    const { stat, body } = this.#object(caller, container, name);
    checkRead(stat, options.conditions ?? {});
    const range = options.range?.(stat.sizeBytes);
    if (range === undefined) return { stat, body: pieces(body) };
    return { stat, range, body: pieces(body.subarray(range.firstByte, range.lastByte + 1)) };
  }

  async delete(caller: Caller, container: string, name: string, conditions: Conditions = {}): Promise<void> {
    this.#mayWrite(caller);
    const { objects } = this.#container(caller, container);
    checkWrite(objects.get(name), conditions);
    objects.delete(name);
  }

  async copy(
    caller: Caller,
    from: CopySource,
    to: { readonly container: string; readonly name: string },
    headers: ObjectHeaders | 'KEEP',
    conditions: Conditions = {},
  ): Promise<ObjectStat> {
    this.#mayWrite(caller);
    checkName(to.name);
    const { stat, body } = this.#object(caller, from.container, from.name);
    checkCopy(stat, from.conditions ?? {});
    const { objects } = this.#container(caller, to.container);
    checkWrite(objects.get(to.name), conditions);
    return this.#store(objects, to.name, body, headers === 'KEEP' ? stat : headers, stat.etag);
  }

  async list(caller: Caller, container: string, query: ListQuery): Promise<Listing> {
    this.#mayFail();
    const { objects } = this.#container(caller, container);
    const { prefix, delimiter, after, limit } = query;
    const found: { readonly name: string; readonly stat?: ObjectStat }[] = [];
    for (const { stat } of [...objects.values()].sort((one, other) => byBytes(one.stat.name, other.stat.name))) {
      const { name } = stat;
      if (!name.startsWith(prefix) || byBytes(name, after) <= 0) continue;
      const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      const common = cut < 0 ? undefined : name.slice(0, cut + delimiter.length);
      if (common === undefined) found.push({ name, stat });
      else if (common !== after && common !== found.at(-1)?.name) found.push({ name: common });
    }
    const page = found.slice(0, limit);
    return {
      objects: page.flatMap(({ stat }) => (stat === undefined ? [] : [stat])),
      prefixes: page.flatMap(({ name, stat }) => (stat === undefined ? [name] : [])),
      isTruncated: limit > 0 && found.length > page.length,
      next: page.at(-1)?.name ?? after,
    };
  }

  async beginUpload(caller: Caller, container: string, name: string, headers: ObjectHeaders): Promise<string> {
    this.#mayWrite(caller);
    checkName(name);
    const uploadId = id();
    const { uploads } = this.#container(caller, container);
    uploads.set(uploadId, { name, headers, startedAt: new Date(), parts: new Map() });
    return uploadId;
  }

  async putPart(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    part: number,
    upload: Upload,
  ): Promise<StoredUploadPart> {
    this.#mayWrite(caller);
    this.#upload(caller, container, name, uploadId);
    const body = await read(upload);
    this.#mayFail();
    const { parts } = this.#upload(caller, container, name, uploadId);
    const stat = { part, etag: md5(body), sizeBytes: body.length, modifiedAt: new Date() };
    parts.set(part, { stat, body, checksums: { ...upload.checksums } });
    return stat;
  }

  async completeUpload(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    wanted: readonly UploadedPart[],
    { conditions = {}, sizeBytes }: CompletionLimits = {},
  ): Promise<ObjectStat> {
    this.#mayWrite(caller);
    const completion = JSON.stringify([uploadId, wanted, conditions]);
    const made = this.#container(caller, container).objects.get(name);
    if (made?.completion === completion) {
      if (sizeBytes !== undefined && sizeBytes !== made.body.length)
        throw new ObjectError('INVALID_PART', `The parts have ${made.body.length} bytes, not ${sizeBytes}.`);
      return made.stat;
    }
    const { parts, headers } = this.#upload(caller, container, name, uploadId);
    const found = wanted.map(({ part, etag, checksums = {} }) => {
      const known = parts.get(part);
      if (known === undefined || known.stat.etag !== etag)
        throw new ObjectError('INVALID_PART', `Part ${part} was not uploaded, or its entity tag is another.`);
      if (Object.entries(checksums).some(([header, value]) => known.checksums[header] !== value))
        throw new ObjectError('INVALID_PART', `Part ${part} was uploaded with another checksum.`);
      return known;
    });
    const bytes = found.reduce((sum, { body }) => sum + body.length, 0);
    if (sizeBytes !== undefined && sizeBytes !== bytes)
      throw new ObjectError('INVALID_PART', `The parts have ${bytes} bytes, not ${sizeBytes}.`);
    if (found.slice(0, -1).some(({ body }) => body.length < leastPartBytes))
      throw new ObjectError('PART_TOO_SMALL', `All parts but the last have at least ${leastPartBytes} bytes.`);
    const { objects, uploads } = this.#container(caller, container);
    checkWrite(objects.get(name), conditions);
    uploads.delete(uploadId);
    const digests = Buffer.concat(found.map(({ stat }) => Buffer.from(stat.etag, 'hex')));
    const body = Buffer.concat(found.map((each) => each.body));
    const stat = this.#store(objects, name, body, headers, `${md5(digests)}-${found.length}`, found.length);
    objects.set(name, { stat, body, completion });
    return stat;
  }

  async abortUpload(caller: Caller, container: string, name: string, uploadId: string): Promise<void> {
    this.#mayWrite(caller);
    this.#upload(caller, container, name, uploadId);
    this.#container(caller, container).uploads.delete(uploadId);
  }

  async listParts(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    after: number,
    limit: number,
  ): Promise<{ readonly parts: readonly StoredUploadPart[]; readonly isTruncated: boolean }> {
    this.#mayFail();
    const found = [...this.#upload(caller, container, name, uploadId).parts.values()]
      .map(({ stat }) => stat)
      .filter(({ part }) => part > after)
      .sort((one, other) => one.part - other.part);
    return { parts: found.slice(0, limit), isTruncated: found.length > limit };
  }

  async listUploads(
    caller: Caller,
    container: string,
    query: { readonly prefix: string; readonly afterName: string; readonly afterId: string; readonly limit: number },
  ): ReturnType<Namespace['listUploads']> {
    this.#mayFail();
    const { prefix, afterName, afterId, limit } = query;
    const found = [...this.#container(caller, container).uploads]
      .map(([uploadId, { name, startedAt }]) => ({ name, uploadId, startedAt }))
      .filter(({ name, uploadId }) => {
        const order = byBytes(name, afterName);
        return name.startsWith(prefix) && (order > 0 || (order === 0 && afterId !== '' && uploadId > afterId));
      })
      .sort((one, other) => byBytes(one.name, other.name) || (one.uploadId < other.uploadId ? -1 : 1));
    return { uploads: found.slice(0, limit), isTruncated: found.length > limit };
  }

  #of({ accountId }: Caller): Map<string, Container> {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const made = new Map<string, Container>();
    this.#accounts.set(accountId, made);
    return made;
  }

  #container(caller: Caller, name: string): Container {
    const container = this.#of(caller).get(name);
    if (container === undefined) throw new ObjectError('NO_CONTAINER', `There is no container ${name}.`);
    return container;
  }

  #object(caller: Caller, container: string, name: string): Stored {
    const stored = this.#container(caller, container).objects.get(name);
    if (stored === undefined) throw new ObjectError('NO_OBJECT', `There is no object ${name}.`);
    return stored;
  }

  #upload(caller: Caller, container: string, name: string, uploadId: string): Begun {
    const begun = this.#container(caller, container).uploads.get(uploadId);
    if (begun === undefined || begun.name !== name) throw new ObjectError('NO_UPLOAD', 'There is no such upload.');
    return begun;
  }

  #store(
    objects: Map<string, Stored>,
    name: string,
    body: Buffer,
    given: ObjectHeaders,
    etag: string,
    parts?: number,
  ): ObjectStat {
    const { contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage, expires, metadata } =
      given;
    const headers = {
      contentType,
      cacheControl,
      contentDisposition,
      contentEncoding,
      contentLanguage,
      expires,
      metadata,
    };
    this.#versions += 1;
    const version = this.#versions.toString(16).padStart(32, '0');
    const stat = {
      ...withoutUndefined(headers),
      ...{ name, sizeBytes: body.length, etag, modifiedAt: new Date(), version },
      ...(parts === undefined ? {} : { parts }),
    };
    objects.set(name, { stat, body });
    return stat;
  }

  #mayWrite(caller: Caller): void {
    this.#mayFail();
    if (!caller.canWrite) throw new ObjectError('NOT_ALLOWED', `${caller.name} may only read.`);
  }

  #mayFail(): void {
    if (this.#refusal !== undefined) throw new ObjectError(this.#refusal.code, this.#refusal.message);
  }
}

function withoutUndefined(headers: { [Name in keyof ObjectHeaders]: ObjectHeaders[Name] | undefined }): ObjectHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => value !== undefined),
  ) as unknown as ObjectHeaders;
}

function checkName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > mostNameBytes || name.includes('\0'))
    throw new ObjectError('INVALID_NAME', `A name has 1 to ${mostNameBytes} bytes without NUL.`);
}

function checkWrite(there: Stored | undefined, { ifMatch, ifNoneMatch }: Conditions): void {
  if (ifMatch !== undefined && there === undefined) throw new ObjectError('NO_OBJECT', 'There is no such object.');
  const matches = (tags: readonly string[]) =>
    there !== undefined && (tags.includes('*') || tags.includes(there.stat.etag));
  if ((ifMatch !== undefined && !matches(ifMatch)) || (ifNoneMatch !== undefined && matches(ifNoneMatch)))
    throw new ObjectError('PRECONDITION_FAILED', 'The condition does not hold.');
}

function checkRead(stat: ObjectStat, conditions: Conditions): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const matches = (tags: readonly string[]) => tags.includes('*') || tags.includes(stat.etag);
  const isLater = (than: Date) => Math.floor(stat.modifiedAt.getTime() / 1_000) * 1_000 > than.getTime();
  const mayBeRead =
    ifMatch === undefined ? ifUnmodifiedSince === undefined || !isLater(ifUnmodifiedSince) : matches(ifMatch);
  if (!mayBeRead) throw new ObjectError('PRECONDITION_FAILED', 'The condition does not hold.');
  const isUnmodified =
    ifNoneMatch === undefined ? ifModifiedSince !== undefined && !isLater(ifModifiedSince) : matches(ifNoneMatch);
  if (isUnmodified) throw new ObjectError('NOT_MODIFIED', 'The object is as it was.');
}

function checkCopy(stat: ObjectStat, conditions: Conditions): void {
  try {
    checkRead(stat, conditions);
  } catch {
    throw new ObjectError('PRECONDITION_FAILED', 'The condition on the source does not hold.');
  }
}

async function read(upload: Upload): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of upload.body) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  if (upload.sizeBytes !== undefined && body.length !== upload.sizeBytes)
    throw new ObjectError('BODY_CUT_OFF', `The body has ${body.length} of ${upload.sizeBytes} bytes.`);
  return body;
}

async function* pieces(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}

/** UTF-8, not UTF-16. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('hex');
}

function id(): string {
  return randomBytes(16).toString('hex');
}

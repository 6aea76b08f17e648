// Containers and objects as users see them, through any interface. Each name is linearizable across all clusters: a write acknowledged at
// one cluster is visible to the next reader at any other.

export interface Caller {
  /** 32 hexadecimal digits. */
  readonly accountId: string;
  readonly canWrite: boolean;
  /** For logs. */
  readonly name: string;
}

export interface ContainerStat {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Name of the option. */
  readonly option: string;
  readonly createdAt: Date;
}

export interface ObjectHeaders {
  readonly contentType: string;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectStat extends ObjectHeaders {
  readonly name: string;
  readonly sizeBytes: number;
  /** Without quotes: the MD5 of the bytes, or the MD5 of the parts' MD5s with the number of parts. */
  readonly etag: string;
  readonly modifiedAt: Date;
  readonly version: string;
  readonly parts?: number | undefined;
  /** Absent if the bytes are stored with the name. */
  readonly hasBlobs?: true | undefined;
  /** Number of the object's own option. Undefined if it has that of its container. */
  readonly option?: number | undefined;
}

/** RFC 9110 section 13.1. Entity tags without quotes; `*` matches any. */
export interface Conditions {
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
}

/** Both inclusive. */
export interface Range {
  readonly firstByte: number;
  readonly lastByte: number;
}

/** In base64, keyed by the names of S3's headers. */
export type Checksums = Readonly<Record<string, string>>;

/** The body is read once. It throws if a digest or a chunk's signature is wrong; then nothing becomes visible. */
export interface Upload {
  readonly sizeBytes?: number | undefined;
  readonly body: AsyncIterable<Buffer>;
  /** The checksums that the client sent, by header. Complete after the body has been read. */
  readonly checksums?: Checksums;
}

/** Name of the option for an object's bytes. Default: the option of its container. */
export interface OptionWish {
  readonly option?: string | undefined;
}

export interface GetOptions {
  /** Called with the size. Undefined selects everything. */
  readonly range?: ((sizeBytes: number) => Range | undefined) | undefined;
  readonly conditions?: Conditions | undefined;
}

export interface Got {
  readonly stat: ObjectStat;
  readonly range?: Range | undefined;
  readonly body: AsyncIterable<Buffer>;
}

/** Options of a NEAREST read. */
export interface NearestOptions extends GetOptions {
  /** Called once, before the result or the refusal that follows from it, with the time that the result reflects. See `NearestGot`. */
  readonly told: (asOfMs: number | undefined) => void;
}

export interface NearestGot extends Got {
  readonly container: ContainerStat;
  /** Everything acknowledged before this value of `performance.now()` is in the result. Undefined if no such time is known. */
  readonly asOfMs: number | undefined;
}

export interface ContainerQuery {
  readonly prefix: string;
  /** Exclusive. */
  readonly after: string;
  /** At least 1. */
  readonly limit: number;
}

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Exclusive, in order of UTF-8 bytes. */
  readonly after: string;
  /** 0 to 1000 objects and common prefixes. */
  readonly limit: number;
}

export interface Listing {
  readonly objects: readonly ObjectStat[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  /** Pass it as `after` to continue. */
  readonly next: string;
}

export interface UploadedPart {
  /** 1 to 10,000. */
  readonly part: number;
  readonly etag: string;
  /** Checksums that the part must have been uploaded with. */
  readonly checksums?: Checksums | undefined;
}

/** What completing a multipart upload requires. */
export interface CompletionLimits {
  readonly conditions?: Conditions | undefined;
  /** Size of the whole object. */
  readonly sizeBytes?: number | undefined;
}

export interface StoredUploadPart extends UploadedPart {
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

export interface CopySource {
  readonly container: string;
  readonly name: string;
  readonly conditions?: Conditions | undefined;
}

/** Every function throws ObjectError. */
export interface Namespace {
  /** In order of their names. An account may have very many: no more than `limit` are held in memory. */
  containers(caller: Caller, query: ContainerQuery): Promise<readonly ContainerStat[]>;
  createContainer(
    caller: Caller,
    name: string,
    options?: {
      readonly option?: string | undefined;
      /** 32 hexadecimal digits. If an existing container has this id, it is the result. Default: random. */
      readonly id?: string | undefined;
    },
  ): Promise<ContainerStat>;
  statContainer(caller: Caller, name: string): Promise<ContainerStat>;
  /** Refused unless the container is empty, even against a concurrent `put` elsewhere. */
  deleteContainer(caller: Caller, name: string): Promise<void>;

  put(
    caller: Caller,
    container: string,
    name: string,
    upload: Upload & OptionWish,
    headers: ObjectHeaders,
    conditions?: Conditions,
  ): Promise<ObjectStat>;
  stat(caller: Caller, container: string, name: string, conditions?: Conditions): Promise<ObjectStat>;
  get(caller: Caller, container: string, name: string, options?: GetOptions): Promise<Got>;
  /**
   * Reads one replica that votes, without a majority: the result may be old. Refused with NEAREST_NOT_ALLOWED unless the container's option
   * allows it.
   */
  getNearest(caller: Caller, container: string, name: string, options: NearestOptions): Promise<NearestGot>;
  /** Deleting a missing object is not an error. */
  delete(caller: Caller, container: string, name: string, conditions?: Conditions): Promise<void>;
  /** An object may be copied onto itself with other headers or another option. */
  copy(
    caller: Caller,
    from: CopySource,
    to: { readonly container: string; readonly name: string } & OptionWish,
    headers: ObjectHeaders | 'KEEP',
    conditions?: Conditions,
  ): Promise<ObjectStat>;
  list(caller: Caller, container: string, query: ListQuery): Promise<Listing>;

  /** Returns the upload's id: 32 hexadecimal digits. */
  beginUpload(
    caller: Caller,
    container: string,
    name: string,
    headers: ObjectHeaders,
    wish?: OptionWish,
  ): Promise<string>;
  putPart(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    part: number,
    upload: Upload,
  ): Promise<StoredUploadPart>;
  /** A repeat of the same request succeeds with the same result while the object that it made is the newest at that name. */
  completeUpload(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    limits?: CompletionLimits,
  ): Promise<ObjectStat>;
  abortUpload(caller: Caller, container: string, name: string, uploadId: string): Promise<void>;
  /** Parts after the part number `after`. */
  listParts(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    after: number,
    limit: number,
  ): Promise<{ readonly parts: readonly StoredUploadPart[]; readonly isTruncated: boolean }>;
  listUploads(
    caller: Caller,
    container: string,
    query: { readonly prefix: string; readonly afterName: string; readonly afterId: string; readonly limit: number },
  ): Promise<{
    readonly uploads: readonly { readonly name: string; readonly uploadId: string; readonly startedAt: Date }[];
    readonly isTruncated: boolean;
  }>;
}

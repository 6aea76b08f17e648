// Containers and objects as users see them, whatever way they come in. Each name is linearizable through every cluster: what was
// acknowledged at one is what the next reader meets at any other.

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
  /** The option's name. */
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
  /** Without quotes: the MD5 of the bytes, or of the parts' MD5s with their number. */
  readonly etag: string;
  readonly modifiedAt: Date;
  readonly version: string;
  readonly parts?: number | undefined;
  /** Absent: its bytes are with its name. */
  readonly hasBlobs?: true | undefined;
  /** The number of its own option; undefined: that of its container. */
  readonly option?: number | undefined;
}

/** RFC 9110 section 13.1. Entity tags without quotes; `*`: any. */
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

/** The body is read once. It throws where a digest or a chunk's signature is wrong: then nothing becomes visible. */
export interface Upload {
  readonly sizeBytes?: number | undefined;
  readonly body: AsyncIterable<Buffer>;
}

/** The name of the option by which the bytes of an object are kept; undefined: that of its container. */
export interface OptionWish {
  readonly option?: string | undefined;
}

export interface GetOptions {
  /** Called with the size; undefined: everything. */
  readonly range?: ((sizeBytes: number) => Range | undefined) | undefined;
  readonly conditions?: Conditions | undefined;
}

export interface Got {
  readonly stat: ObjectStat;
  readonly range?: Range | undefined;
  readonly body: AsyncIterable<Buffer>;
}

/** How a NEAREST read is asked for. */
export interface NearestOptions extends GetOptions {
  /** Called once, before it answers or refuses by what it has found: as of when that is. See `NearestGot`. */
  readonly told: (asOfMs: number | undefined) => void;
}

export interface NearestGot extends Got {
  readonly container: ContainerStat;
  /** All that was acknowledged before this moment of `performance.now()` is in the answer; undefined: of no moment that can be said. */
  readonly asOfMs: number | undefined;
}

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Exclusive, in the order of UTF-8 bytes. */
  readonly after: string;
  /** 0 to 1000: objects and common prefixes. */
  readonly limit: number;
}

export interface Listing {
  readonly objects: readonly ObjectStat[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  /** What to give as `after` for what follows. */
  readonly next: string;
}

export interface UploadedPart {
  /** 1 to 10,000. */
  readonly part: number;
  readonly etag: string;
}

export interface StoredPart extends UploadedPart {
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
  containers(caller: Caller): Promise<readonly ContainerStat[]>;
  createContainer(
    caller: Caller,
    name: string,
    options?: {
      readonly option?: string | undefined;
      /** 32 hexadecimal digits; a container that has it already is the one that is wanted. Default: random ones. */
      readonly id?: string | undefined;
    },
  ): Promise<ContainerStat>;
  statContainer(caller: Caller, name: string): Promise<ContainerStat>;
  /** Refused unless it is empty, also against a `put` elsewhere at the same time. */
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
  /** What one replica that votes has, without a majority: it may be old. Refused with NEAREST_NOT_ALLOWED unless the container's option allows it. */
  getNearest(caller: Caller, container: string, name: string, options: NearestOptions): Promise<NearestGot>;
  /** What is not there is no error. */
  delete(caller: Caller, container: string, name: string, conditions?: Conditions): Promise<void>;
  /** Onto itself: with other headers, or by another option. */
  copy(
    caller: Caller,
    from: CopySource,
    to: { readonly container: string; readonly name: string } & OptionWish,
    headers: ObjectHeaders | 'KEEP',
    conditions?: Conditions,
  ): Promise<ObjectStat>;
  list(caller: Caller, container: string, query: ListQuery): Promise<Listing>;

  /** The upload's id: 32 hexadecimal digits. */
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
  ): Promise<StoredPart>;
  completeUpload(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    conditions?: Conditions,
  ): Promise<ObjectStat>;
  abortUpload(caller: Caller, container: string, name: string, uploadId: string): Promise<void>;
  /** Those after the part with the number `after`. */
  listParts(
    caller: Caller,
    container: string,
    name: string,
    uploadId: string,
    after: number,
    limit: number,
  ): Promise<{ readonly parts: readonly StoredPart[]; readonly isTruncated: boolean }>;
  listUploads(
    caller: Caller,
    container: string,
    query: { readonly prefix: string; readonly afterName: string; readonly afterId: string; readonly limit: number },
  ): Promise<{
    readonly uploads: readonly { readonly name: string; readonly uploadId: string; readonly startedAt: Date }[];
    readonly isTruncated: boolean;
  }>;
}

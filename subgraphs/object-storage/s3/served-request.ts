// What is known of a request once it is over, for metrics and the access log.

export interface ServedRequest {
  readonly requestId: string;
  /** As `getObject`; `api`: of the interface beside S3; `none`: it was refused before one was known. */
  readonly operation: string;
  readonly method: string;
  /** Without its query, which may have a signature. */
  readonly path: string;
  /** 0: the connection ended before an answer. */
  readonly status: number;
  /** Of S3's codes, or what status the interface beside it gave; `OK`: it was carried out. */
  readonly code: string;
  /** On the connection, with what belongs to HTTP and TLS. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly tookMs: number;
  /** The caller's name; undefined: a stranger. */
  readonly caller: string | undefined;
  readonly address: string | undefined;
}

/** While it is served. */
export interface ServedSoFar {
  operation: string;
  code: string;
  caller: string | undefined;
}

// Facts about a finished request, for metrics and the access log.

export interface ServedRequest {
  readonly requestId: string;
  /** Such as `getObject`; `api` for the interface beside S3; `none` if it was refused before its operation was known. */
  readonly operation: string;
  readonly method: string;
  /** Without the query, which may have a signature. */
  readonly path: string;
  /** 0 if the connection ended before an answer. */
  readonly status: number;
  /** S3's code, or the status of the interface beside it. `OK` for success. */
  readonly code: string;
  /** Bytes on the connection, including HTTP and TLS overhead. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly tookMs: number;
  /** Name of the caller. Undefined if unauthenticated. */
  readonly caller: string | undefined;
  readonly address: string | undefined;
}

/** Facts that are recorded while it is served. */
export interface ServedSoFar {
  operation: string;
  code: string;
  caller: string | undefined;
}

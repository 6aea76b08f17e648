// How a blob can't be written or read.

export class NoBlobError extends Error {
  override readonly name = 'NoBlobError';

  constructor(id: string) {
    super(`there is no blob ${id}`);
  }
}

/** What is on disk is not what was written. */
export class BlobDamagedError extends Error {
  override readonly name = 'BlobDamagedError';
  readonly id: string;
  /** From 0; undefined: what is kept beside the bytes is damaged, so that none of them can be checked. */
  readonly block: number | undefined;

  constructor(id: string, block: number | undefined, cause?: unknown) {
    super(`${block === undefined ? 'the trailer' : `block ${block}`} of the blob ${id} is damaged`, { cause });
    this.id = id;
    this.block = block;
  }
}

export class BlobRangeError extends Error {
  override readonly name = 'BlobRangeError';
  readonly sizeBytes: number;

  constructor(id: string, sizeBytes: number) {
    super(`the blob ${id} has ${sizeBytes} bytes: the range is not within them`);
    this.sizeBytes = sizeBytes;
  }
}

export class BlobTooLargeError extends Error {
  override readonly name = 'BlobTooLargeError';

  constructor(mostBytes: number) {
    super(`a blob has at most ${mostBytes} bytes`);
  }
}

/** Writing would leave too little on the disk for anything else to go on. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';

  constructor(where: string, cause?: unknown) {
    super(`the disk of ${where} is nearly full: delete objects, or give it more room`, { cause });
  }
}

/** Bytes that nobody would find again, or that are not this blob's. */
export class BlobIdError extends Error {
  override readonly name = 'BlobIdError';
}

// The errors of reading and writing blobs.

export class NoBlobError extends Error {
  override readonly name = 'NoBlobError';

  constructor(id: string) {
    super(`there is no blob ${id}`);
  }
}

/** The bytes on disk differ from the bytes that were written. */
export class BlobDamagedError extends Error {
  override readonly name = 'BlobDamagedError';
  readonly id: string;
  /** Counted from 0. Undefined if the trailer is damaged: no block can be checked then. */
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
    super(`the blob ${id} has ${sizeBytes} bytes: the range is outside them`);
    this.sizeBytes = sizeBytes;
  }
}

export class BlobTooLargeError extends Error {
  override readonly name = 'BlobTooLargeError';

  constructor(mostBytes: number) {
    super(`a blob has at most ${mostBytes} bytes`);
  }
}

/** Writing would leave too little free space on the disk for other work. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';

  constructor(where: string, cause?: unknown) {
    super(`the disk of ${where} is nearly full: delete objects, or give it more space`, { cause });
  }
}

/** The id is malformed, or belongs to another place: nobody would find the bytes again. */
export class BlobIdError extends Error {
  override readonly name = 'BlobIdError';
}

// Shared by both sides of a copy: its address and its certificates.

export interface CopyTls {
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const copyPath = '/copy';
/** Header with the approximate size of the copy. */
export const sizeHeader = 'x-data-bytes';

// Shared by both sides of a copy: its address and its certificates.

export interface CopyTls {
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const copyPath = '/copy';
/** Text that says why the last copy was not completed. 404 if there was no failure. */
export const copyFailurePath = '/copy/failure';
/** Header with the approximate size of the copy. */
export const sizeHeader = 'x-data-bytes';

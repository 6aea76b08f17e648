// An operation that clients may send by the hash of its text.
import type { PublishedOperationType } from '../../../../generated/graph/system.ts';

export interface PublishedOperation {
  /** UUID. */
  readonly id: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly name: string;
  readonly operationType: PublishedOperationType;
  readonly text: string;
  readonly createdAt: Date;
}

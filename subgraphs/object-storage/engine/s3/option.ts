// The option for a new bucket, or for the bytes of a new object.
import type { OptionWish } from '../namespace/namespace.ts';
import { type Exchange, header } from './call.ts';

/** Sent with a PUT of a bucket or object, a copy, and the start of a multipart upload. It must be signed, like S3's own headers. */
export const optionHeader = 'x-tidegate-option';

/** An empty value names no option. */
export function optionOf(exchange: Exchange): OptionWish {
  return { option: header(exchange, optionHeader) || undefined };
}

// The option of what a request makes: of a bucket, or of an object, whose bytes are kept by it.
import type { OptionWish } from '../namespace/namespace.ts';
import { type Exchange, header } from './call.ts';

/** Of a PUT of a bucket or an object, a copy, and the beginning of an upload in parts. It has to be signed, as what S3 itself knows. */
export const optionHeader = 'x-tidegate-option';

/** What is empty names none. */
export function optionOf(exchange: Exchange): OptionWish {
  return { option: header(exchange, optionHeader) || undefined };
}

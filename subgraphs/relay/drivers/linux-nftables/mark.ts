// Marks fitted to the size of an nftables comment.
import { markChars } from '../mark.ts';

/** nft's own language accepts comments of at most 128 bytes (its JSON form accepts longer ones, which can't be loaded again). */
const maxCommentBytes = 128;

/** The rest, beside the mark. */
export const maxWordsBytes = maxCommentBytes - markChars;

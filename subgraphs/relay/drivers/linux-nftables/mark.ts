// How much a comment of nftables holds.
import { markChars } from '../mark.ts';

/** nft's own language takes comments of at most 128 bytes (its JSON form takes longer ones, which can't be loaded again). */
const maxCommentBytes = 128;

/** What is left for words beside the mark. */
export const maxWordsBytes = maxCommentBytes - markChars;

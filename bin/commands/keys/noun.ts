// `tidegate keys`: the key files. What was made with older keys can still be read.
import type { Noun } from '../../cli/verb.ts';
import { create, list, rotate } from './key-file.ts';
import { reseal } from './reseal.ts';

export const keys: Noun = { list, create, rotate, reseal };
